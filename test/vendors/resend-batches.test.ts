import { describe, expect, test } from "vitest";
import { email, ok, quoteBatch, refusal } from "./resend-harness.ts";

/** Guarantees that a batch costs what its e-mails cost. */

describe("a batch costs what its e-mails cost", () => {
  test("the sum of their recipients, in the order of the request", () => {
    const quoted = ok(
      quoteBatch([email(), email({ to: ["a@b.co", "c@b.co"], cc: "d@b.co" }), email({ bcc: "e@b.co" })]),
    );

    expect(quoted.amount).toBe(60n);
    expect(quoted.parts).toEqual([10n, 30n, 20n]);
    expect(quoted.recipients).toHaveLength(6);
  });

  test("has 1 to 100 e-mails", () => {
    expect(ok(quoteBatch(Array(100).fill(email()))).amount).toBe(1_000n);
    for (const count of [0, 101])
      expect(refusal(quoteBatch(Array(count).fill(email())))).toBe(
        `amount_unknown: body: got ${count} e-mails; expected 1 to 100`,
      );
  });

  test.each([
    [{ bcc: "x" }, "ambiguous_request: [3].bcc: got"],
    [{ to: [] }, "amount_unknown: [3].to: got 0 addresses"],
    [{ headers: { Bcc: "x@y.zz" } }, "ambiguous_request: [3].headers: got"],
    [{ subject: "\n" }, "ambiguous_request: [3].subject: got"],
    [{ BCC: "x@y.zz" }, 'endpoint_not_priced: [3]."BCC": unknown field'],
  ])("names the e-mail that is refused: %j", (change, message) => {
    expect(refusal(quoteBatch([email(), email(), email(), email(change)]))).toContain(message);
  });

  test.each([
    [email(), "body: got an object; expected an array of e-mails"],
    [{ 0: email(), length: 1 }, "body: got an object"],
    [[email(), [email()]], "[1]: got an array; expected an e-mail as a JSON object"],
    [[null], "[0]: got null"],
  ])("is an array of objects, and not %j", (body, message) => {
    expect(refusal(quoteBatch(body))).toContain(message);
  });
});
