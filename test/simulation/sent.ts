import type { VendorReply } from "../../lambda/ports/vendor-http.ts";
import type { Process } from "./world.ts";

/** What a request asks for, if it asks for money at all. */
export type Command =
  | {
      readonly kind: "create";
      readonly object: "charge" | "refund" | "payment_intent" | "message";
      readonly amount: number;
    }
  | {
      readonly kind: "change";
      readonly objectId: string;
      readonly verb: "update" | "confirm" | "capture" | "cancel" | "increment_authorization";
      readonly amount: number | null;
    }
  | { readonly kind: "free" };

/** A request on its way to the vendor, in its hands, or answered. */
export interface Sent {
  readonly number: number;
  readonly process: Process;
  readonly attemptId: string;
  readonly command: Command;
  readonly form: URLSearchParams;
  readonly idempotencyKey: string | null;
  /** What has to be the same of all requests with one idempotency key. */
  readonly fingerprint: string;
  readonly authorization: string;
  readonly sentMs: number;
  readonly timeoutMs: number;
  state: "travelling" | "lost" | "executing" | "answered";
  reply: Answered | null;
  /** Tells the process; null once it has heard, gave up or died. */
  hear: ((reply: VendorReply) => void) | null;
}

export interface Answered {
  readonly status: number;
  readonly body: string;
  readonly replayed: boolean;
}
