import fc from "fast-check";
import { Resend } from "resend";
import { afterEach, describe, expect, test, vi } from "vitest";
import { UNLIMITED } from "../../lambda/domain/call-limits.ts";
import { type MicroUsd, microUsd } from "../../lambda/domain/money.ts";
import { Problem, STATUS_BY_CODE } from "../../lambda/domain/problem.ts";
import type { PriceTable } from "../../lambda/domain/rate-card.ts";
import type { FreeRule, Known, PricedRule, Quote, VendorRequest } from "../../lambda/domain/vendor.ts";
import { endpointOf } from "../../lambda/vendors/endpoints.ts";
import { resend } from "../../lambda/vendors/resend/resend.ts";
import { DEFAULT_RATE_CARD } from "../support/rate-card.ts";

/** A recipient costs 10 micro-dollars here: what a call costs is ten times whom it reaches. */
const known = (recipient: PriceTable = { default: microUsd(10n) }): Known => ({
  object: null,
  found: null,
  rateCard: { ...DEFAULT_RATE_CARD, prices: { resend: { recipient } } },
  limits: UNLIMITED,
});

const requestOf = (
  method: string,
  path: string,
  body: unknown,
  change: Partial<VendorRequest> = {},
): VendorRequest => ({
  method,
  path,
  query: {},
  headers: { "content-type": ["application/json"] },
  body: new TextEncoder().encode(typeof body === "string" ? body : JSON.stringify(body)),
  ...change,
});

function pricedOf(path: string): PricedRule {
  const rule = endpointOf(resend, "POST", path)?.rule;
  if (rule?.kind !== "priced") throw new Error(`POST ${path} has no price`);
  return rule;
}

function freeOf(method: string, path: string): FreeRule {
  const rule = endpointOf(resend, method, path)?.rule;
  if (rule?.kind !== "free") throw new Error(`${method} ${path} is not free`);
  return rule;
}

const quoteAt = (path: string, body: unknown, price?: PriceTable): Quote | Problem =>
  pricedOf(path).quote(requestOf("POST", path, body), known(price));

const quoteEmail = (email: unknown, price?: PriceTable) => quoteAt("/emails", email, price);
const quoteBatch = (emails: unknown, price?: PriceTable) => quoteAt("/emails/batch", emails, price);

function ok(quoted: Quote | Problem): Quote {
  if (quoted instanceof Problem) throw quoted;
  return quoted;
}

const refusal = (quoted: Quote | Problem | null): string =>
  quoted instanceof Problem ? `${quoted.code}: ${quoted.message}` : "not refused";

const email = (change: object = {}) => ({
  from: "Acme <acme@example.com>",
  to: "ann@example.com",
  subject: "Hello",
  text: "Line\nby line",
  ...change,
});

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
  ])("what is no text: %s", (_, written) => {
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
    ["a name that stands there twice", '{"to":"a@b.co","to":"x@y.zz"}', "names a field twice"],
  ])("a body that is no e-mail: %s", (_, body, message) => {
    expect(refusal(quoteEmail(body))).toMatch(/^ambiguous_request/);
    expect(refusal(quoteEmail(body))).toContain(message);
  });
});

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

const answerOf = (status: number, body: unknown) => ({
  status,
  headers: {},
  body: new TextEncoder().encode(typeof body === "string" ? body : JSON.stringify(body)),
});

describe("the answer to an e-mail", () => {
  const quote = () => ok(quoteEmail(email({ cc: "b@b.co" })));
  const read = (status: number, body: unknown) =>
    pricedOf("/emails").read(answerOf(status, body), quote(), known(), requestOf("POST", "/emails", {}));

  test("2xx: it cost what was quoted, and its id is kept", () => {
    expect(read(200, { id: "id-1" })).toMatchObject({
      kind: "executed",
      price: 20n,
      objectId: "id-1",
      replayed: false,
      isEstimate: false,
      counts: null,
    });
  });

  test.each([["<html>"], [""], [[]], [{ id: 7 }], [{ id: "two words" }], [null]])(
    "2xx that cannot be read, %j, costs what was quoted",
    (body) => {
      expect(read(200, body)).toMatchObject({ kind: "executed", price: 20n, objectId: null });
    },
  );

  test.each([400, 401, 403, 404, 405, 409, 413, 415, 422, 429])("%i: no e-mail was made of it", (status) => {
    expect(read(status, { id: "id-1", statusCode: status })).toMatchObject({
      kind: "refused",
      price: 0n,
      objectId: null,
    });
  });

  test.each([100, 301, 402, 408, 499, 500, 502, 503, 504, 520])("%i: it may have been sent", (status) => {
    expect(read(status, "{}")).toMatchObject({ kind: "unknown", price: 0n });
  });
});

describe("the answer to a batch", () => {
  const quote = (...counts: number[]) =>
    ok(quoteBatch(counts.map((count) => email({ to: Array(count).fill("a@b.co") }))));
  const ids = (count: number) => Array.from({ length: count }, (_, index) => ({ id: `id-${index}` }));
  const failed = (...indexes: unknown[]) => indexes.map((index) => ({ index, message: "no" }));
  type Mode = "strict" | "permissive" | null;
  const readBatch = (status: number, body: unknown, quoted: Quote, mode: Mode) => {
    const headers = mode === null ? {} : { "x-batch-validation": [mode] };
    const request = requestOf("POST", "/emails/batch", [], { headers });
    return pricedOf("/emails/batch").read(answerOf(status, body), quoted, known(), request);
  };
  const priceOf = (body: unknown, quoted: Quote, mode: Mode = "permissive") =>
    readBatch(200, body, quoted, mode).price;

  test.each([
    ["all were accepted", { data: ids(3) }, 60n],
    ["all were accepted, with an empty list of errors", { data: ids(3), errors: [] }, 60n],
    ["all failed", { data: [], errors: failed(0, 1, 2) }, 0n],
    [
      "one failed, and whether places count from 0 or 1 is not known",
      { data: ids(2), errors: failed(2) },
      50n,
    ],
    ["two failed", { data: ids(1), errors: failed(2, 1) }, 30n],
  ])("costs what as many of the dearest cost as were accepted: %s", (_, body, price) => {
    expect(priceOf(body, quote(1, 2, 3))).toBe(price);
  });

  test.each<[string, unknown, Mode]>([
    ["nothing accepted and no failure told", { data: [] }, "permissive"],
    ["fewer accepted than sent and no failure told", { data: ids(2) }, "permissive"],
    ["fewer accepted and too few failures", { data: ids(1), errors: failed(2) }, "permissive"],
    ["more than were sent", { data: ids(4) }, "permissive"],
    ["more than were sent, with failures", { data: ids(3), errors: failed(0) }, "permissive"],
    ["an e-mail without id", { data: [{}, { id: "id-1" }], errors: failed(2) }, "permissive"],
    ["one id twice", { data: [{ id: "a" }, { id: "a" }], errors: failed(2) }, "permissive"],
    ["one failure twice", { data: ids(1), errors: failed(2, 2) }, "permissive"],
    ["failures of nothing", { data: ids(1), errors: [null, null] }, "permissive"],
    ["failures without place", { data: ids(1), errors: [{}, {}] }, "permissive"],
    ["a failure of no place", { data: ids(2), errors: failed(4) }, "permissive"],
    ["a place that is a text", { data: ids(2), errors: failed("2") }, "permissive"],
    ["errors that are no list", { data: ids(2), errors: { index: 2 } }, "permissive"],
    ["no list", { id: "id-1" }, "permissive"],
    ["a list by itself", ids(3), "permissive"],
    ["nothing to read", "<html>", "permissive"],
    ["half of JSON", '{"data":[', "permissive"],
    ["nothing accepted, though strict", { data: [] }, "strict"],
    ["nothing accepted, though strict by default", { data: [] }, null],
    ["failures, though strict", { data: ids(1), errors: failed(1, 2) }, "strict"],
    ["failures, though strict by default", { data: [], errors: failed(0, 1, 2) }, null],
    ["fewer than were sent, though strict by default", { data: ids(2) }, null],
    ["all of them", { data: ids(3) }, null],
  ])("costs what was quoted where the answer does not prove less: %s", (_, body, mode) => {
    expect(priceOf(body, quote(1, 2, 3), mode)).toBe(60n);
  });

  test("never costs less than what was sent, nor more than was reserved", () => {
    const parts = fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 1, maxLength: 8 });
    fc.assert(
      fc.property(parts, fc.array(fc.boolean(), { minLength: 8, maxLength: 8 }), (counts, sends) => {
        const places = counts.map((_, index) => index);
        const out = places.filter((index) => !sends[index]);
        const body = { data: ids(counts.length - out.length), errors: failed(...out) };
        const sent = counts.reduce(
          (total, count, index) => total + (sends[index] ? BigInt(count) * 10n : 0n),
          0n,
        );
        const quoted = quote(...counts);
        const price: MicroUsd = priceOf(body, quoted);

        expect(price >= sent).toBe(true);
        expect(price <= quoted.amount).toBe(true);
      }),
    );
  });

  test("is marked by the id of its first e-mail, by which a repeat is told from a second batch", () => {
    const read = (body: unknown, mode: Mode = null) => readBatch(200, body, quote(1, 1), mode);

    expect(read({ data: ids(2) })).toMatchObject({ objectId: "id-0", replayed: false });
    expect(read({ data: ids(1), errors: failed(1) }, "permissive").objectId).toBe("id-0");
    // Not told of every e-mail: it could be the beginning of another batch.
    expect(read({ data: ids(1) }).objectId).toBeNull();
    expect(read({ data: [] }).objectId).toBeNull();
    expect(read({ data: [null, null] }).objectId).toBeNull();
  });

  test.each([
    [422, "refused"],
    [409, "refused"],
    [500, "unknown"],
  ])("%i is %s", (status, kind) => {
    expect(readBatch(status, {}, quote(1), null).kind).toBe(kind);
  });
});

test("both priced endpoints are answered again for 24 hours, and no others", () => {
  const priced = resend.catalog.filter(({ rule }) => rule.kind === "priced");

  expect(priced.map(({ path }) => path)).toEqual(["/emails", "/emails/batch"]);
  for (const { rule } of priced)
    expect(rule).toMatchObject({ idempotency: { windowMs: 86_400_000, rerunsFailures: false } });
});

describe("what is free", () => {
  const bare = (method: string, path: string, change: Partial<VendorRequest> = {}) =>
    refusal(
      freeOf(method, path).check({ ...requestOf(method, path, ""), headers: {}, ...change }, UNLIMITED),
    );
  const bytes = (text: string) => new TextEncoder().encode(text);

  test("a GET with parameters that only read, and the empty object of resend-python", () => {
    const query = { limit: ["10"], after: ["id-1"] };

    expect(bare("GET", "/emails", { query })).toBe("not refused");
    expect(bare("GET", "/emails/id-1", { body: bytes("{}") })).toBe("not refused");
    expect(bare("POST", "/emails/id-1/cancel", { body: bytes("{}") })).toBe("not refused");
  });

  test.each([
    ["GET", "/emails", { query: { _method: ["POST"] } }],
    ["GET", "/emails", { query: { limit: ["1", "2"] } }],
    ["GET", "/emails", { body: bytes('{"to":"a@b.co"}') }],
    ["POST", "/emails/id-1/cancel", { body: bytes('{"to":"a@b.co"}') }],
    ["POST", "/emails/id-1/cancel", { query: { limit: ["1"] } }],
  ])("%s %s is refused with more: %j", (method, path, change) => {
    expect(bare(method, path, change)).toMatch(/^ambiguous_request/);
  });

  const reschedule = (body: unknown) =>
    refusal(freeOf("PATCH", "/emails/id-1").check(requestOf("PATCH", "/emails/id-1", body), UNLIMITED));

  test("another time for a scheduled e-mail, with its id or without", () => {
    expect(reschedule({ scheduled_at: "in 1 hour" })).toBe("not refused");
    expect(reschedule({ id: "id-1", scheduled_at: "2026-12-24T00:00:00Z" })).toBe("not refused");
  });

  test.each([
    [{ scheduled_at: "in 1 hour", to: "x@y.zz" }, /^endpoint_not_priced: "to": unknown field/],
    [{ id: "id-2", scheduled_at: "in 1 hour" }, /^ambiguous_request: .*another e-mail/],
    [{ scheduled_at: 1_000 }, /^ambiguous_request: scheduled_at: expected a string/],
    [{}, /^ambiguous_request: scheduled_at: expected a string/],
    [[], /^ambiguous_request: the body must be a JSON object$/],
  ])("nothing else of it: %j", (body, message) => {
    expect(reschedule(body)).toMatch(message);
  });
});

describe("headers", () => {
  const refused = (headers: Record<string, string[]>) => refusal(resend.refuseHeaders(headers, UNLIMITED));

  test("pass as Resend's SDKs send them", () => {
    expect(refused({})).toBe("not refused");
    expect(refused({ "idempotency-key": ["k".repeat(256)], "x-batch-validation": ["permissive"] })).toBe(
      "not refused",
    );
    expect(refused({ "x-batch-validation": ["strict"] })).toBe("not refused");
  });

  test.each([
    ["idempotency-key", ["a", "b"]],
    ["idempotency-key", [""]],
    ["idempotency-key", [" "]],
    ["idempotency-key", ["k".repeat(257)]],
    ["x-batch-validation", ["strict", "permissive"]],
    ["x-batch-validation", ["Permissive"]],
    ["x-batch-validation", [""]],
  ])("%s: %j is refused", (name, values) => {
    expect(refused({ [name]: values })).toMatch(/^ambiguous_request/);
  });

  test("that reach Resend never hold the caller's credential", () => {
    expect(resend.forwardedHeaders).toEqual([
      "accept",
      "content-type",
      "idempotency-key",
      "user-agent",
      "x-batch-validation",
    ]);
  });

  test("of an answer name its request by cf-ray, where it has one", () => {
    expect(resend.requestId({ "cf-ray": ["8f1-FRA"] })).toBe("8f1-FRA");
    expect(resend.requestId({})).toBeNull();
  });
});

describe("the credential", () => {
  test("is sent as Bearer", () => {
    expect(resend.authorize("re_abc_123")).toEqual({ authorization: "Bearer re_abc_123" });
  });

  test.each(["", "re_", "sk_live_1", "re_abc 1", "re_abc\n", " re_abc", "re_abc\r\nX: 1", "re_ä"])(
    "cannot be %j",
    (secret) => {
      expect(resend.authorize(secret)).toBeNull();
    },
  );
});

describe("recipients that a key allows", () => {
  const { allows, isEntry } = resend.recipients;

  test.each([
    ["example.com", "ann@example.com", true],
    ["Example.COM", "ann@example.com", true],
    ["example.com", "ann@EXAMPLE.com", true],
    ["example.com", "ann@mail.example.com", false],
    ["example.com", "ann@badexample.com", false],
    ["example.com", "example.com@evil.com", false],
    ["ann@example.com", "ann@example.com", true],
    ["ann@Example.com", "ann@example.com", true],
    ["ann@example.com", "Ann@example.com", false],
    ["ann@example.com", "bob@example.com", false],
    ["ann@example.com", "ann@example.com.evil.com", false],
    ["example.com", "ann@evil.com, bob@example.com", false],
  ])("%s lets %s through: %s", (entry, recipient, is) => {
    expect(allows(entry, recipient)).toBe(is);
  });

  test.each([
    "example.com",
    "mail.example.co.uk",
    "xn--exmple-cua.com",
    "ann@example.com",
    "a+b@example.com",
  ])("may be written as %s", (entry) => {
    expect(isEntry(entry)).toBe(true);
  });

  test.each([
    "",
    "*",
    "*.example.com",
    "@example.com",
    "example",
    "Ann <a@b.co>",
    "a@b.co,c@d.co",
    "exämple.com",
    ".com",
    "b.co ",
  ])("may not be written as %j", (entry) => {
    expect(isEntry(entry)).toBe(false);
  });
});

describe("a denial", () => {
  const codes = Object.entries(STATUS_BY_CODE) as [keyof typeof STATUS_BY_CODE, number][];
  const denial = (code: keyof typeof STATUS_BY_CODE) =>
    resend.denial({
      status: STATUS_BY_CODE[code],
      code,
      repeats: false,
      message: "the cap is reached",
      requestId: "req_1",
      charged: "no",
      details: { cap: "daily", statusCode: 200 },
    });

  test.each([
    ["spend_cap_exceeded", "daily_quota_exceeded"],
    ["key_unknown", "invalid_api_key"],
    ["key_expired", "invalid_api_key"],
    ["endpoint_not_allowed", "endpoint_not_allowed"],
    ["recipient_not_allowed", "recipient_not_allowed"],
    ["idempotency_key_in_use", "concurrent_idempotent_requests"],
    ["ambiguous_request", "validation_error"],
    ["payload_too_large", "validation_error"],
    ["vendor_timeout", "application_error"],
    ["credential_missing", "application_error"],
    ["internal", "application_error"],
    ["not_found", "not_found"],
  ] as const)("%s is named %s", (code, name) => {
    const { headers, body } = denial(code);

    expect(headers).toEqual({ "Request-Id": "req_1" });
    expect(JSON.parse(body)).toEqual({
      statusCode: STATUS_BY_CODE[code],
      name,
      message: "the cap is reached",
      code,
      keybrake_code: code,
      request_id: "req_1",
      charged: "no",
      cap: "daily",
    });
  });

  test.each(codes)("%s keeps its message in resend-python: no name replaces it", (code, status) => {
    const { name, statusCode } = JSON.parse(denial(code).body);

    expect(statusCode).toBe(status);
    expect(name).not.toBe("missing_api_key");
    if (status === 403) expect(name).not.toBe("invalid_api_key");
  });
});

describe("resend-node", () => {
  afterEach(() => {
    vi.unstubAllGlobals();
  });

  /** What the SDK sends, as a request that reached us. */
  function recorded(answer: object): { requests: VendorRequest[]; client: Resend } {
    const requests: VendorRequest[] = [];
    vi.stubGlobal("fetch", async (url: string, init: RequestInit) => {
      const { pathname, searchParams } = new URL(url);
      const headers = Object.fromEntries(
        [...new Headers(init.headers)].map(([name, value]) => [name, [value]]),
      );
      const query = Object.fromEntries(
        [...searchParams.keys()].map((name) => [name, searchParams.getAll(name)]),
      );
      const body = new TextEncoder().encode(typeof init.body === "string" ? init.body : "");
      requests.push({
        method: init.method ?? "GET",
        path: pathname.replace("/resend", ""),
        query,
        headers,
        body,
      });
      return new Response(JSON.stringify(answer), { status: 200 });
    });
    return { requests, client: new Resend("kb_1", { baseUrl: "https://keybrake.example.com/resend" }) };
  }

  test("sends e-mails and batches that can be priced", async () => {
    const { requests, client } = recorded({ id: "id-1", data: [] });
    const message = {
      from: "Acme <a@b.co>",
      to: ["Ann <a@b.co>"],
      cc: "c@b.co",
      subject: "Hi",
      html: "<p>Hi</p>",
      replyTo: "r@b.co",
    };
    await client.emails.send({
      ...message,
      scheduledAt: "in 1 hour",
      topicId: "t-1",
      tags: [{ name: "a", value: "b" }],
    });
    await client.emails.send({ to: "a@b.co", template: { id: "welcome", variables: { count: 3 } } });
    await client.batch.send([message, message], { batchValidation: "permissive", idempotencyKey: "k" });

    const amounts = requests.map((request) => ok(pricedOf(request.path).quote(request, known())).amount);
    expect(amounts).toEqual([20n, 10n, 40n]);
    for (const { headers } of requests) expect(resend.refuseHeaders(headers, UNLIMITED)).toBeNull();
  });

  test("reads, moves and cancels e-mails for nothing", async () => {
    const { requests, client } = recorded({ id: "id-1", data: [] });
    await client.emails.get("id-1");
    await client.emails.list({ limit: 5 });
    await client.emails.update({ id: "id-1", scheduledAt: "in 2 hours" });
    await client.emails.cancel("id-1");
    await client.emails.receiving.get("id-1", { html_format: "cid" });
    await client.emails.metrics({ startDate: "2026-01-01", metrics: ["sent"] });

    expect(requests).toHaveLength(6);
    for (const request of requests)
      expect(freeOf(request.method, request.path).check(request, UNLIMITED), request.path).toBeNull();
  });
});
