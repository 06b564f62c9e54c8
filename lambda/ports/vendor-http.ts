import type { Headers } from "../domain/vendor.ts";

/** How a request reaches its vendor. Refusals and faults come back as values. */
export interface VendorHttp {
  send(request: OutboundRequest): Promise<VendorReply>;
}

export interface OutboundRequest {
  readonly origin: string;
  readonly method: string;
  /** The canonical path and the rewritten query. */
  readonly target: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
  readonly timeoutMs: number;
}

export type VendorReply =
  | {
      readonly kind: "answer";
      readonly status: number;
      readonly headers: Headers;
      readonly rawHeaders: readonly (readonly [string, string])[];
      readonly body: Uint8Array;
    }
  /** The vendor answered, with more than can be passed on: its body was not read to the end. */
  | {
      readonly kind: "too_large";
      readonly status: number;
      readonly headers: Headers;
      readonly bytesMax: number;
    }
  /** Not a byte left. */
  | { readonly kind: "unreachable"; readonly cause: unknown }
  /** Bytes were sent and no whole answer came back. */
  | { readonly kind: "broken"; readonly cause: unknown }
  | { readonly kind: "timeout" };
