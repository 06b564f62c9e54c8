import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { admit } from "../../lambda/app/proxy/admit.ts";
import { quote } from "../../lambda/app/proxy/quote.ts";
import { newRow } from "../../lambda/app/proxy/row.ts";
import { UNCAPPED } from "../../lambda/domain/balance.ts";
import { type CountedEntry, type CountedObject, highestTotal } from "../../lambda/domain/counted-object.ts";
import { larger, microUsd, NOTHING, smaller, sum } from "../../lambda/domain/money.ts";
import { Problem } from "../../lambda/domain/problem.ts";
import type { Policy } from "../../lambda/domain/vault-key.ts";
import type { Json, Quote } from "../../lambda/domain/vendor.ts";
import type { OutboundRequest } from "../../lambda/ports/vendor-http.ts";
import { vendorRegistry } from "../../lambda/vendors/index.ts";
import { MemoryVault } from "../support/memory-vault.ts";
import { answer, FORM, known, limited, pricedOf, RATE_CARD, requestOf } from "./stripe-harness.ts";

/**
 * Guarantees that what is reserved is never less than what a faithful vendor then says it took, whatever is asked, in
 * whatever order, by whom, and however it is written. A failure prints its seed: `fc.assert(…, { seed, path })` repeats it.
 *
 * The vendor below is a second, independent reading of Stripe's documentation: it shares no code with the adapter.
 */

const RUNS = 3_000;

type Fields = Readonly<Record<string, string>>;

interface Payment {
  readonly amount: number;
  readonly currency: string;
  readonly received: number;
  readonly refunded: number;
  readonly status: "open" | "succeeded" | "canceled";
}

interface Done {
  readonly status: number;
  readonly body: Json;
  readonly payment: Payment | null;
}

/** Tenths of a micro-dollar for one smallest unit, the margin of three per cent included. */
const TENTHS: Readonly<Record<string, bigint>> = { usd: 100_000n, eur: 113_300n, jpy: 65_920n, kwd: 33_475n };
const worth = (units: number, currency: string) =>
  microUsd((BigInt(units) * (TENTHS[currency] ?? 0n) + 9n) / 10n);

const shown = ({ amount, currency, received, status }: Payment): Json => ({
  id: "pi_1",
  object: "payment_intent",
  amount,
  amount_received: received,
  currency,
  status,
  customer: "cus_1",
});

const refused = (payment: Payment | null): Done => ({ status: 400, body: { error: {} }, payment });
const done = (payment: Payment): Done => ({ status: 200, body: shown(payment), payment });

/** What Stripe does with a PaymentIntent. Amounts are taken as they come: what is too much is for the proxy to know. */
function stripeDoes(action: string, fields: Fields, payment: Payment | null): Done {
  const number = (name: string) => (fields[name] === undefined ? null : Number(fields[name]));
  const amount = number("amount");
  if (action === "create")
    return amount === null || fields["currency"] === undefined
      ? refused(payment)
      : done({ amount, currency: fields["currency"], received: 0, refunded: 0, status: "open" });
  if (payment === null) return { status: 404, body: { error: {} }, payment };

  if (action === "refund") {
    const left = payment.received - payment.refunded;
    const units = amount ?? left;
    if (payment.received === 0 || units > left) return refused(payment);
    return {
      status: 200,
      body: { id: "re_1", object: "refund", amount: units, currency: payment.currency, status: "succeeded" },
      payment: { ...payment, refunded: payment.refunded + units },
    };
  }
  if (payment.status !== "open") return refused(payment);
  if (action === "cancel") return done({ ...payment, status: "canceled" });
  if (action === "capture") {
    const units = number("amount_to_capture") ?? payment.amount - payment.received;
    // What comes after a first part stays within the amount.
    const within = units >= 0 && payment.received + units <= payment.amount;
    if (payment.received > 0 && !within) return refused(payment);
    const received = payment.received + units;
    return done({ ...payment, received, status: fields["final_capture"] === "false" ? "open" : "succeeded" });
  }
  if (payment.received > 0) return refused(payment);
  if (action === "confirm")
    return done({ ...payment, amount: number("amount_to_confirm") ?? payment.amount });
  if (action === "increment")
    return amount === null || amount < payment.amount ? refused(payment) : done({ ...payment, amount });
  return done({
    ...payment,
    amount: amount ?? payment.amount,
    currency: fields["currency"] ?? payment.currency,
  });
}

const PATHS: Readonly<Record<string, string>> = {
  create: "/v1/payment_intents",
  update: "/v1/payment_intents/pi_1",
  confirm: "/v1/payment_intents/pi_1/confirm",
  capture: "/v1/payment_intents/pi_1/capture",
  increment: "/v1/payment_intents/pi_1/increment_authorization",
  cancel: "/v1/payment_intents/pi_1/cancel",
  refund: "/v1/refunds",
};

const units = fc.integer({ min: 0, max: 10 });
const currency = fc.constantFrom("usd", "jpy", "kwd", "eur");
const unitsText = units.map(String);
const maybe = (given: fc.Arbitrary<string>) => fc.option(given, { nil: undefined });

const step = fc
  .constantFrom("update", "update", "update", "confirm", "capture", "increment", "cancel", "refund", "refund")
  .chain((action) =>
    fc.record({
      action: fc.constant(action),
      asksRecipient: fc.boolean(),
      fields: fc
        .record({
          ...(["update", "increment", "refund"].includes(action) ? { amount: maybe(unitsText) } : {}),
          ...(action === "update" ? { currency: maybe(currency) } : {}),
          ...(action === "confirm" ? { amount_to_confirm: maybe(unitsText) } : {}),
          ...(action === "capture"
            ? { amount_to_capture: maybe(unitsText), final_capture: maybe(fc.constantFrom("true", "false")) }
            : {}),
          ...(action === "refund" ? { payment_intent: fc.constant("pi_1") } : {}),
        })
        .map(defined),
    }),
  );

const creation = fc.record({
  action: fc.constant("create"),
  asksRecipient: fc.boolean(),
  fields: fc.record({ amount: unitsText, currency }).map(defined),
});

const elsewhere = fc.record({
  amount: units,
  currency,
  received: fc.constantFrom(0, 0, 1),
  refunded: fc.constant(0),
  status: fc.constantFrom("open" as const, "open" as const, "succeeded" as const),
});

function defined(fields: Readonly<Record<string, string | undefined>>): Fields {
  return Object.fromEntries(
    Object.entries(fields).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  );
}

const bodyOf = (fields: Fields): string => new URLSearchParams(fields).toString();

const start = fc.oneof(
  fc.record({ made: fc.constant(null), first: fc.array(creation, { minLength: 1, maxLength: 1 }) }),
  fc.record({ made: elsewhere, first: fc.constant([]) }),
);

test("no sequence of calls on a PaymentIntent takes more than was quoted, or is about more than is counted", () => {
  fc.assert(
    fc.property(start, fc.array(step, { maxLength: 8 }), ({ made, first }, steps) => {
      let payment: Payment | null = made;
      let object: CountedObject | null = null;
      const isOwn = made === null;

      for (const [index, { action, fields, asksRecipient }] of [...first, ...steps].entries()) {
        const path = PATHS[action] ?? "";
        const rule = pricedOf(path);
        const request = requestOf("POST", path, bodyOf(fields));
        const asked = rule.lookup?.(request, asksRecipient) ?? null;
        const found = asked === null || payment === null ? null : shown(payment);
        const about = known({ object: action === "create" ? null : object, found });
        const quoted = rule.quote(request, about);
        if (quoted instanceof Problem) continue;

        const { status, body, payment: after } = stripeDoes(action, fields, payment);
        payment = after;
        const reading = rule.read(answer(status, body), quoted, about, request);
        expect(reading.price).toBeLessThanOrEqual(quoted.amount);
        if (status !== 200) {
          expect(reading).toMatchObject({ kind: "refused", price: 0n });
          continue;
        }
        expect(reading.kind).toBe("executed");
        // No refund is of nothing: an answer that says so is not believed.
        if (action === "refund" && body["amount"] !== 0)
          expect(reading.price).toBe(worth(Number(body["amount"]), String(body["currency"])));

        if (reading.uncountsObject && object !== null) object = { ...object, cancelled: true };
        object = remembered(object, reading.counts, smaller(reading.price, quoted.amount), `att_${index}`);
        if (isOwn && payment !== null && payment.status !== "canceled")
          expect(sum((object?.entries ?? []).map(({ amount }) => amount))).toBeGreaterThanOrEqual(
            larger(worth(payment.amount, payment.currency), worth(payment.received, payment.currency)),
          );
      }
    }),
    { numRuns: RUNS },
  );
});

/** As a settled call is remembered: what cost something, or was never seen with as much. */
function remembered(
  object: CountedObject | null,
  counts: ReturnType<ReturnType<typeof pricedOf>["read"]>["counts"],
  amount: CountedEntry["amount"],
  attemptId: string,
): CountedObject | null {
  if (counts === null || object?.cancelled === true) return object;
  if (object !== null && amount === NOTHING && counts.total <= highestTotal(object)) return object;
  const { objectId, total } = counts;
  return {
    objectId,
    cancelled: false,
    entries: [...(object?.entries ?? []), { total, attemptId, amount, beyond: NOTHING, windows: [] }],
  };
}

/** A call that stands alone: what is asked, what a lookup finds, and what the vendor answers where it does it. */
interface Single {
  readonly path: string;
  readonly fields: Fields;
  readonly found: Json | null;
  readonly does: (fields: Fields) => Json | null;
}

const named = (fields: Fields, name = "amount"): number | null =>
  fields[name] === undefined ? null : Number(fields[name]);

const single: fc.Arbitrary<Single> = fc
  .record({
    kind: fc.constantFrom(
      "charges",
      "payouts",
      "topups",
      "refunds",
      "capture",
      "transfers",
      "fees",
      "disputes",
      "finalize",
      "send",
      "pay",
      "notes",
    ),
    amount: maybe(unitsText),
    second: maybe(unitsText),
    money: maybe(currency),
    found: fc.record({ amount: units, before: units, currency }),
    outside: fc.boolean(),
  })
  .map(({ kind, amount, second, money, found, outside }): Single => {
    const { amount: whole, before, currency: inCurrency } = found;
    const old: Json = { id: "ch_1", amount: whole, currency: inCurrency };
    const isNew = ["charges", "payouts", "topups"].includes(kind);
    if (isNew)
      return {
        path: `/v1/${kind}`,
        fields: defined({ amount, currency: money }),
        found: null,
        does: (fields) =>
          fields["amount"] === undefined || fields["currency"] === undefined
            ? null
            : { id: "x_1", amount: named(fields), currency: fields["currency"], status: "succeeded" },
      };
    if (kind === "refunds" || kind === "fees") {
      const left = Math.max(0, whole - before);
      return {
        path: kind === "fees" ? "/v1/application_fees/fee_1/refunds" : "/v1/refunds",
        fields: defined({ amount, charge: kind === "refunds" ? "ch_1" : undefined }),
        found: { ...old, account: "acct_1", amount_refunded: Math.min(whole, before) },
        does: (fields) => {
          const back = named(fields) ?? left;
          return back > left
            ? null
            : {
                id: "re_1",
                object: kind === "fees" ? "fee_refund" : "refund",
                amount: back,
                currency: inCurrency,
              };
        },
      };
    }
    if (kind === "capture")
      return {
        path: "/v1/charges/ch_1/capture",
        fields: defined({ amount }),
        found: { ...old, amount_captured: 0 },
        does: (fields) => ({ ...old, amount_captured: named(fields) ?? whole }),
      };
    if (kind === "transfers")
      return {
        path: "/v1/transfers",
        fields: defined({
          amount,
          currency: money,
          destination: "acct_1",
          source_transaction: outside ? "ch_1" : undefined,
        }),
        found: old,
        // Without an amount all of the charge, at the vendor's own rate where it is in another currency: here ten times.
        does: (fields) => {
          const to = fields["currency"] ?? inCurrency;
          if (fields["source_transaction"] === undefined && fields["amount"] === undefined) return null;
          const all = to === inCurrency ? whole : whole * 10;
          return { id: "tr_1", object: "transfer", amount: named(fields) ?? all, currency: to };
        },
      };
    if (kind === "disputes")
      return {
        path: "/v1/disputes/dp_1/close",
        fields: {},
        found: old,
        does: () => ({ ...old, id: "dp_1", object: "dispute", status: "lost" }),
      };
    const invoice: Json = {
      id: "in_1",
      amount_due: whole,
      total: whole,
      currency: inCurrency,
      customer: "cus_1",
    };
    if (kind === "notes")
      return {
        path: "/v1/credit_notes",
        fields: defined({ invoice: "in_1", amount, refund_amount: second }),
        found: invoice,
        does: (fields) => ({
          id: "cn_1",
          amount: Math.max(named(fields) ?? 0, named(fields, "refund_amount") ?? 0),
          out_of_band_amount: outside ? 1 : 0,
          currency: inCurrency,
        }),
      };
    return {
      path: `/v1/invoices/in_1/${kind}`,
      fields: kind === "pay" && outside ? { paid_out_of_band: "true" } : {},
      found: invoice,
      does: () => ({ ...invoice, status: "paid" }),
    };
  });

test("no call that stands alone takes more than was quoted", () => {
  fc.assert(
    fc.property(
      single,
      fc.option(fc.record({ units, currency }), { nil: null }),
      ({ path, fields, found, does }, before) => {
        const rule = pricedOf(path);
        const request = requestOf("POST", path, bodyOf(fields));
        const paid = before === null ? NOTHING : worth(before.units, before.currency);
        // What was counted for it before is what it is about now, or less.
        const counted: CountedObject | null =
          before === null || !path.includes("/in_1/")
            ? null
            : {
                objectId: "in_1",
                cancelled: false,
                entries: [
                  {
                    attemptId: "att_0",
                    windows: [],
                    amount: paid,
                    beyond: NOTHING,
                    total: paid,
                  },
                ],
              };
        const asked = rule.lookup?.(request, false) ?? null;
        const about = known({
          object: counted,
          found: asked === null ? null : found,
          limits: limited({ accounts: ["acct_1"] }),
        });
        const quoted = rule.quote(request, about);
        if (quoted instanceof Problem) return;

        const body = does(fields);
        const reading = rule.read(
          body === null ? answer(400, { error: {} }) : answer(200, body),
          quoted,
          about,
          request,
        );
        expect(reading.price).toBeLessThanOrEqual(quoted.amount);
        const isTold = body !== null && "amount" in body && body["amount"] !== 0;
        if (isTold && !path.endsWith("/capture") && path !== "/v1/credit_notes")
          expect(reading.price).toBe(worth(Number(body["amount"]), String(body["currency"])));
      },
    ),
    { numRuns: RUNS },
  );
});

describe("however a form is written", () => {
  const name = fc.constantFrom(
    "amount",
    "amount",
    "amount",
    "currency",
    "currency",
    "amount[]",
    "amount[0]",
    "amount%5B%5D",
    "Amount",
    "+amount",
    "amount+",
    "%61mount",
    "amount%00",
    "currency[]",
    "metadata[amount]",
    "description",
    "",
  );
  const value = fc.constantFrom(
    "5",
    "7",
    "10",
    "0",
    "1e3",
    "%2B5",
    "+5",
    "5+",
    "0x5",
    "5.0",
    "%D9%A5",
    "05",
    "-5",
    "",
    "5%0A",
    "5%00",
    "5,000",
    "usd",
    "jpy",
    "usd",
    "USD",
    "usd+",
  );
  const pairs = fc.array(
    fc.tuple(name, value).map(([field, text]) => `${field}=${text}`),
    { maxLength: 3 },
  );
  const plain = fc.tuple(unitsText, currency).map(([text, code]) => [`amount=${text}`, `currency=${code}`]);
  const written = fc
    .tuple(
      fc.oneof(plain, plain, fc.constant<string[]>([])),
      fc.oneof(pairs, fc.constant<string[]>([])),
      fc.constantFrom("&", "&", "&", "&", ";", "&&"),
    )
    .chain(([good, odd, separator]) =>
      fc
        .shuffledSubarray([...good, ...odd], { minLength: good.length + odd.length })
        .map((all) => all.join(separator)),
    );
  const type = fc.constantFrom<string[]>(
    ["application/x-www-form-urlencoded"],
    ["application/x-www-form-urlencoded"],
    ["application/x-www-form-urlencoded"],
    ["application/x-www-form-urlencoded; charset=utf-8"],
    ["application/x-www-form-urlencoded; charset=utf-16"],
    ["application/json"],
    ["multipart/form-data; boundary=x"],
    ["text/plain"],
    ["application/x-www-form-urlencoded", "application/json"],
    [],
  );
  const query = fc.constantFrom<Record<string, string[]>>(
    {},
    {},
    {},
    { amount: ["9"] },
    { currency: ["kwd"] },
  );

  const decoded = (text: string): string => decodeURIComponent(text.replaceAll("+", " "));

  /** What parsers that forgive everything could take for a field: each of the values that it is given, in order. */
  const leniently = (body: string, wanted: string, given: Record<string, string[]>): string[] => [
    ...(given[wanted] ?? []),
    ...body.split(/[&;]/).flatMap((pair) => {
      const [field = "", ...rest] = pair.split("=");
      const top = decoded(field)
        .replaceAll(/[\s\0]/g, "")
        .toLowerCase()
        .split("[", 1)[0];
      return top === wanted ? [decoded(rest.join("=")).trim().toLowerCase()] : [];
    }),
  ];

  test("the amount that is quoted is the one that every parser sees, first or last", () => {
    let accepted = 0;
    fc.assert(
      fc.property(written, type, query, (body, contentType, given) => {
        const request = requestOf("POST", "/v1/payment_intents", body, {
          headers: { "content-type": contentType },
          query: given,
        });
        const quoted: Quote | Problem = pricedOf("/v1/payment_intents").quote(request, known());
        if (quoted instanceof Problem) return;

        accepted++;
        expect(contentType).toHaveLength(1);
        expect(contentType[0]).toMatch(/^application\/x-www-form-urlencoded(; charset=utf-8)?$/);
        const amounts = leniently(body, "amount", given);
        const currencies = leniently(body, "currency", given);
        expect(amounts.at(0)).toBe(quoted.amountText);
        expect(amounts.at(-1)).toBe(quoted.amountText);
        expect(quoted.amountText).toMatch(/^\d+$/);
        expect(String(Number.parseInt(amounts[0] ?? "", 10))).toBe(quoted.amountText);
        expect(currencies.at(0)).toBe(quoted.currency);
        expect(currencies.at(-1)).toBe(quoted.currency);
        expect(quoted.amount).toBe(worth(Number(quoted.amountText), quoted.currency ?? ""));
      }),
      { numRuns: RUNS },
    );
    expect(accepted).toBeGreaterThan(RUNS / 20);
  });

  const policy: Policy = {
    keyId: "key_1",
    secretHash: "",
    vendor: "stripe",
    credential: "main",
    allowedEndpoints: null,
    limits: limited({}),
    label: null,
    metadata: {},
    chain: [{ keyId: "key_1", issuedAtMs: 0 }],
    issuerId: "api_1",
    issuedAtMs: 0,
    issuedWith: { caps: { daily: UNCAPPED, total: UNCAPPED, perCall: UNCAPPED }, expiresAtMs: 1_000_000 },
  };

  async function admitted(path: string, body: string, contentType: readonly string[]) {
    const vault = new MemoryVault();
    vault.state.putBalance({
      keyId: "key_1",
      issuedAtMs: 0,
      caps: policy.issuedWith.caps,
      leftByWindow: {},
      leftInTotal: UNCAPPED,
      expiresAtMs: 1_000_000,
      revokedAtMs: null,
      fenceMs: 0,
      writes: 0,
      minuteCalls: null,
    });
    const sent: OutboundRequest[] = [];
    const found = { id: "pi_1", amount: 5, amount_due: 5, total: 5, currency: "usd", customer: "cus_1" };
    const vendors = vendorRegistry();
    const request = {
      requestId: "req_1",
      token: null,
      vendorName: "stripe",
      method: "POST",
      rawPath: path,
      query: {},
      headers: { ...FORM, "content-type": contentType },
      body: new TextEncoder().encode(body),
      sourceIp: null,
      startedAtMs: 0,
      deadlineMs: 30_000,
    };
    const row = newRow(request, policy, { vendors, ids: { random: () => "" } });
    const allowed = admit({ kind: "identified", request, row }, { vendors });
    const call =
      allowed.kind === "denied"
        ? allowed
        : await quote(allowed, {
            vault,
            rateCard: RATE_CARD,
            clock: { now: () => 0 },
            destinationOf: (_, { path: asked }) => ({ origin: "https://api.stripe.com", path: asked }),
            credentials: { read: async () => "sk_test_1", howToSet: () => "" },
            http: {
              send: async (question) => {
                sent.push(question);
                return { kind: "answer", rawHeaders: [], ...answer(200, found) };
              },
            },
          });
    return { call, sent };
  }

  test("before a call is priced nothing is sent but the question what it is about, and a refused one is not sent", async () => {
    const path = fc.constantFrom(
      ...Object.values(PATHS),
      "/v1/invoices/in_1/pay",
      "/v1/transfers",
      "/v1/payouts",
    );
    await fc.assert(
      fc.asyncProperty(path, written, type, async (target, body, contentType) => {
        const { call, sent } = await admitted(target, body, contentType);
        for (const { method, target: asked, body: sentBody } of sent) {
          expect(method).toBe("GET");
          expect(asked).toMatch(/^\/v1\/(payment_intents\/pi_1|invoices\/in_1)$/);
          expect(sentBody).toHaveLength(0);
        }
        expect(sent.length).toBeLessThanOrEqual(1);
        if (call.kind !== "denied") expect(new TextDecoder().decode(call.call.request.body)).toBe(body);
        else {
          expect(call.problem.charged).toBe("no");
          // An error without a name would be the ledger's.
          expect(call.problem.code).not.toBe("ledger_unavailable");
        }
      }),
      { numRuns: 500 },
    );
  });
});
