import type { CapStatus } from "../../domain/balance.ts";
import type { Charged, Problem } from "../../domain/problem.ts";
import type { VendorReply } from "../../ports/vendor-http.ts";

/** What every answer tells of the call and its key. */
export interface CallFacts {
  readonly callId: string;
  readonly vendorName: string;
  readonly charged: Charged;
  /** The tightest cap after this call; null where the balance was not read. */
  readonly cap: CapStatus | null;
}

export type ProxyResult =
  | {
      readonly kind: "forwarded";
      readonly reply: VendorReply & { readonly kind: "answer" };
      /** The body without its codings. */
      readonly decoded: Uint8Array;
      readonly facts: CallFacts;
    }
  | { readonly kind: "denied"; readonly problem: Problem; readonly facts: CallFacts | null };
