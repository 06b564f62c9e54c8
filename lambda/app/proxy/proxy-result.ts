import type { CapStatus } from "../../domain/balance.ts";
import type { Charged, Problem, ProblemCode } from "../../domain/problem.ts";
import type { VendorReply } from "../../ports/vendor-http.ts";

/** What every answer tells of the call and its key. */
export interface CallFacts {
  readonly callId: string;
  readonly vendorName: string;
  readonly charged: Charged;
  /** The tightest cap after this call; null where the balance was not read. */
  readonly cap: CapStatus | null;
  /** The code with which a key that only observes would have refused the call; null where it would not. */
  readonly wouldDeny: ProblemCode | null;
}

export type ProxyResult = ForwardedResult | DeniedResult;

/** The vendor's answer as it came. */
export interface ForwardedResult {
  readonly kind: "forwarded";
  readonly reply: VendorReply & { readonly kind: "answer" };
  /** The body without its codings. */
  readonly decoded: Uint8Array;
  readonly facts: CallFacts;
}

/** An answer of ours: a refusal, or what is told in the place of an answer that cannot be shown. */
export interface DeniedResult {
  readonly kind: "denied";
  readonly problem: Problem;
  /** Null for a key that is not known. */
  readonly facts: CallFacts | null;
}
