import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { microUsd } from "../../lambda/domain/money.ts";
import { Problem } from "../../lambda/domain/problem.ts";
import { DEFAULT_RATE_CARD } from "../support/rate-card.ts";
import { email, known, ok, pricedOf, quoteEmail, refusal, requestOf } from "./resend-harness.ts";

/** Guarantees that an e-mail costs what its recipients cost, and that nobody hides one. */

describe("an e-mail costs what its recipients cost", () => {
  test.each([
    ["one as a text", { to: "a@b.co" }, 10n],
    ["one in an array", { to: ["a@b.co"] }, 10n],
    ["to, cc and bcc together", { to: ["a@b.co", "c@b.co"], cc: "d@b.co", bcc: ["e@b.co", "f@b.co"] }, 50n],
    ["the same one as often as it is named", { to: ["a@b.co", "a@b.co"], cc: ["A <a@b.co>"] }, 30n],
    ["nobody in cc and bcc", { cc: null, bcc: [] }, 10n],
    ["fifty at most in to", { to: Array.from({ length: 50 }, (_, index) => `a${index}@b.co`) }, 500n],
  ])("%s", (_, change, amount) => {
    expect(ok(quoteEmail(email(change))).amount).toBe(amount);
  });

  test("however many there are in each field", () => {
    const some = (max: number) => fc.integer({ min: 0, max }).map((count) => Array(count).fill("a@b.co"));
    fc.assert(
      fc.property(some(49), some(50), some(50), (to, cc, bcc) => {
        const { amount, recipients } = ok(quoteEmail(email({ to: ["x@b.co", ...to], cc, bcc })));
        expect(recipients).toHaveLength(1 + to.length + cc.length + bcc.length);
        expect(amount).toBe(BigInt(1 + to.length + cc.length + bcc.length) * 10n);
      }),
    );
  });

  test("$0.0009 for each, where no price is configured", () => {
    const quoted = pricedOf("/emails").quote(requestOf("POST", "/emails", email({ cc: "b@c.de" })), {
      ...known(),
      rateCard: DEFAULT_RATE_CARD,
    });

    expect(ok(quoted).amount).toBe(1_800n);
  });

  test("nothing, where the plan has them all in it and the price is 0", () => {
    expect(ok(quoteEmail(email(), { default: microUsd(0n) })).amount).toBe(0n);
  });

  test("is refused where the price was taken away", () => {
    expect(refusal(quoteEmail(email(), { default: null }))).toMatch(
      /^endpoint_not_priced: .*prices\.resend\.recipient/,
    );
  });

  test("names its recipients bare, with the domain in small letters", () => {
    const to = ["Ann.Lee@Example.COM", '"Lee, Ann" <ann@example.com>', "<bob@example.com>", "Zoë <z@b.co>"];

    expect(ok(quoteEmail(email({ to, bcc: "Eve+1@B.CO" }))).recipients).toEqual([
      "Ann.Lee@example.com",
      "ann@example.com",
      "bob@example.com",
      "z@b.co",
      "Eve+1@b.co",
    ]);
  });

  test("says no amount and no currency, since the request has none", () => {
    expect(ok(quoteEmail(email()))).toMatchObject({ amountText: null, currency: null, fxRate: null });
  });

  test("passes with every field that Resend's SDKs send", () => {
    const all = email({
      attachments: [
        { filename: "a.txt", content: "QQ==\nQQ==", content_type: "text/plain", content_id: "a" },
      ],
      bcc: null,
      cc: [],
      headers: { "X-Entity-Ref-ID": "1", "List-Unsubscribe": "<https://example.com>" },
      html: "<p>\n</p>",
      reply_to: ["a@b.co"],
      scheduled_at: "in 1 hour",
      tags: [{ name: "kind", value: "hello" }],
      template: { id: "welcome", variables: { name: "Ann\nLee", count: 3 } },
      topic_id: null,
    });

    expect(ok(quoteEmail(all)).amount).toBe(10n);
  });
});

describe("whoever could hide a recipient is refused", () => {
  test.each([
    ["several in one text", "a@b.co, x@y.zz"],
    ["several with a semicolon", "a@b.co;x@y.zz"],
    ["several with a space", "a@b.co x@y.zz"],
    ["several in angle brackets", "<a@b.co><x@y.zz>"],
    ["one beside the brackets", "x@y.zz <a@b.co>"],
    ["one behind the brackets", "Ann <a@b.co> x@y.zz"],
    ["one in a quoted name", '"x@y.zz" <a@b.co>'],
    ["brackets in a quoted name", '"Ann <x" <a@b.co>'],
    ["an escape in a quoted name", String.raw`"Ann \" <x@y.zz>" <a@b.co>`],
    ["two signs", "a@b.co@y.zz"],
    ["a quoted local part", '"a@b.co"@y.zz'],
    ["a group", "team: a@b.co, x@y.zz;"],
    ["an empty group", "undisclosed-recipients:;"],
    ["a comment", "a@b.co (Ann)"],
    ["a comment as a name", "(Ann) <a@b.co>"],
    ["a route", "a%y.zz@b.co"],
    ["a bang path", "y!a@b.co"],
    ["a source route", "<@y.zz:a@b.co>"],
    ["a line break", "a@b.co\nBcc: x@y.zz"],
    ["a line break in a name", "Ann\r\nBcc: x@y.zz\r\nX: <a@b.co>"],
    ["a NUL", "a@b.co\u0000"],
    ["a line separator", "Ann\u2028 <a@b.co>"],
    ["letters that look the same", "a@ехample.com"],
    ["a number for a domain", "a@127.0.0.1"],
    ["an address of a host", "a@[127.0.0.1]"],
    ["no domain", "ann"],
    ["a domain with one label", "ann@localhost"],
    ["a dot at the end", "a@b.co."],
    ["a space around it", " a@b.co"],
    ["nothing", ""],
    ["mailto", "mailto:a@b.co"],
  ])("%s", (_, address) => {
    for (const field of ["to", "cc", "bcc"]) {
      for (const value of [address, ["ok@b.co", address]])
        expect(refusal(quoteEmail(email({ [field]: value })))).toMatch(
          new RegExp(`^ambiguous_request: ${field}: got .*exactly one address`, "s"),
        );
    }
  });

  test.each([
    ["a number", "1e3"],
    ["an object", '{"email":"a@b.co"}'],
    ["true", "true"],
    ["an array in the array", '[["a@b.co"]]'],
    ["null in the array", "[null]"],
  ])("anything but text: %s", (_, written) => {
    expect(refusal(quoteEmail(`{"to":"a@b.co","cc":${written}}`))).toMatch(/^ambiguous_request: cc: got/);
  });

  test("whatever else it is, what is accepted has one sign outside of a quoted name and no separator", () => {
    const piece = fc.constantFrom(
      "a@b.co",
      "x@y.zz",
      "<",
      ">",
      ",",
      ";",
      ":",
      '"',
      "(",
      ")",
      " ",
      "\\",
      "\n",
      "Ann",
      "@",
      "%",
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 8 }), (pieces) => {
        const to = pieces.join("");
        const quoted = quoteEmail(email({ to }));
        if (quoted instanceof Problem) return;

        expect(quoted.recipients).toHaveLength(1);
        expect(to.replace(/^"[^"]*"/, "")).not.toMatch(/@.*@|[,;:()\\\n%]/);
      }),
      { numRuns: 2_000 },
    );
  });

  test.each([
    "To",
    "to",
    "Cc",
    "BCC",
    "Resent-To",
    "resent-bcc",
    "Resent-From",
    "Apparently-To",
    "From",
    "Sender",
    "Return-Path",
    "X-SES-Configuration-Set",
  ])("the header %s of the message", (name) => {
    expect(refusal(quoteEmail(email({ headers: { [name]: "x@y.zz" } })))).toMatch(
      /^ambiguous_request: headers: .*they belong in to, cc, bcc and from/,
    );
  });

  test.each([
    ["a colon in a header's name", { headers: { "X: 1\r\nBcc": "x@y.zz" } }, "headers"],
    ["a space in a header's name", { headers: { "Bcc ": "x@y.zz" } }, "headers"],
    ["a line break in a header", { headers: { "X-A": "1\r\nBcc: x@y.zz" } }, "headers"],
    ["headers as a list", { headers: [{ name: "Bcc", value: "x@y.zz" }] }, "headers"],
    ["a header with several values", { headers: { "X-A": ["1", "2"] } }, "headers.X-A"],
    ["a line break in the subject", { subject: "Hi\r\nBcc: x@y.zz" }, "subject"],
    ["a line break in the sender", { from: "a@b.co\nBcc: x@y.zz" }, "from"],
    ["a line break in an address for replies", { reply_to: ["a@b.co\nBcc: x@y.zz"] }, "reply_to"],
    ["a line break in a tag", { tags: [{ name: "a", value: "1\nBcc: x@y.zz" }] }, "tags"],
    ["a line break in a file's name", { attachments: [{ filename: "a\nBcc: x@y.zz" }] }, "attachments"],
  ])("%s", (_, change, field) => {
    expect(refusal(quoteEmail(email(change)))).toContain(`ambiguous_request: ${field}: got`);
  });

  test.each([
    "To",
    "CC",
    "bcc ",
    "recipients",
    "replyTo",
    "scheduledAt",
    "audience_id",
    "segment_id",
    "react",
    "toString",
  ])("a field that is not listed: %s", (name) => {
    expect(refusal(quoteEmail(email({ [name]: "x@y.zz" })))).toMatch(
      new RegExp(
        `^endpoint_not_priced: ${JSON.stringify(name)}: unknown field; Keybrake cannot bound its cost`,
      ),
    );
  });

  test.each([
    ["no to", { to: undefined }, 0],
    ["null as to", { to: null }, 0],
    ["an empty to beside a cc", { to: [], cc: "a@b.co" }, 0],
    ["fifty-one in to", { to: Array(51).fill("a@b.co") }, 51],
  ])("%s", (_, change, count) => {
    expect(refusal(quoteEmail(email(change)))).toBe(
      `amount_unknown: to: got ${count} addresses; expected 1 to 50`,
    );
  });

  test.each([
    ["a batch", [email()], "body: got an array"],
    ["a text", '"a@b.co"', 'body: got "a@b.co"'],
    ["null", "null", "body: got null"],
    ["a number", "1", "body: got 1"],
    ["nothing", "", "is not JSON"],
    ["a repeated name", '{"to":"a@b.co","to":"x@y.zz"}', "names a field twice"],
  ])("a body that is no e-mail: %s", (_, body, message) => {
    expect(refusal(quoteEmail(body))).toMatch(/^ambiguous_request/);
    expect(refusal(quoteEmail(body))).toContain(message);
  });
});
