import { type Charged, Problem } from "../../domain/problem.ts";
import type { VendorReply } from "../../ports/vendor-http.ts";
import type { Exchange } from "./call-vendor.ts";

/** What is told in the place of a vendor's answer. */

/** Completes "the vendor's answer …". */
export const WITHHELD: Readonly<Record<NonNullable<Exchange["withheld"]>, string>> = {
  repeats_secret: "repeated its secret",
  unreadable: "came in an encoding that Keybrake cannot read",
};

/** Why there is no vendor's answer to show. */
export function noAnswer({ reply, withheld }: Exchange, charged: Charged, callId: string): Problem {
  const options = { charged, details: { call_id: callId } };
  const repeat =
    charged === "unknown" ? "; repeat the call with the same Idempotency-Key to learn its outcome" : "";
  switch (reply.kind) {
    case "unreachable":
      return new Problem("vendor_unreachable", `the vendor could not be reached${repeat}`, options);
    case "broken":
      return new Problem(
        "vendor_connection_broken",
        `the vendor's connection broke before its answer was complete${repeat}`,
        options,
      );
    case "too_large":
      return new Problem("vendor_answer_too_large", tooLarge(reply), options);
    case "timeout":
      return new Problem("vendor_timeout", `the vendor did not answer in time${repeat}`, options);
    case "answer":
      return new Problem(
        "vendor_answer_withheld",
        `the vendor's answer ${WITHHELD[withheld ?? "unreadable"]}, so it is not shown${repeat}`,
        options,
      );
  }
}

/** The same request gets the same answer, so none is worth repeating. */
export const tooLarge = ({ status, bytesMax }: Extract<VendorReply, { kind: "too_large" }>): string =>
  `the vendor answered ${status} with more than the ${bytesMax} bytes that Keybrake can pass on; the same request would get the same answer: ask for less, with a lower limit or page size and without expand`;
