import type { Headers } from "../../domain/vendor.ts";
import type { Deadlines } from "./deadlines.ts";

/** A request as it reached us: the raw path without the vendor's prefix, still percent-encoded. Times in milliseconds. */
export interface ProxyRequest extends Deadlines {
  readonly requestId: string;
  readonly token: string | null;
  /** The vendor named by the path; null for a path at the root, which goes to the key's own vendor. */
  readonly vendorName: string | null;
  readonly method: string;
  readonly rawPath: string;
  readonly query: Readonly<Record<string, readonly string[]>>;
  readonly headers: Headers;
  readonly body: Uint8Array;
  readonly sourceIp: string | null;
}
