import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { MicroUsd } from "../../lambda/domain/money.ts";
import type { Quote } from "../../lambda/domain/vendor.ts";
import { resend } from "../../lambda/vendors/resend/resend.ts";
import { answerOf, email, known, ok, pricedOf, quoteBatch, quoteEmail, requestOf } from "./resend-harness.ts";

/** Guarantees what an answer tells about what was sent. */

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
