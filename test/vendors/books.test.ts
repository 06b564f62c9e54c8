import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { BooksQuestion } from "../../lambda/domain/books.ts";
import type { Books, Json } from "../../lambda/domain/vendor.ts";
import { booksOf } from "../../lambda/vendors/books.ts";
import { soughtOf } from "../../lambda/vendors/resend/sought.ts";
import { at } from "../support/json.ts";

/** Guarantees which entries of a vendor's books are taken for a call, what they say of it, and that the questions are well-formed. */

const theBooksOf = (vendor: string): Books => {
  const books = booksOf(vendor);
  if (books === null) throw new Error(`${vendor} has no books`);
  return books;
};

const AT_S = 1_795_000_000;
const question = (change: Partial<BooksQuestion> = {}): BooksQuestion => ({
  method: "POST",
  path: "/v1/charges",
  idempotencyKey: "key-1",
  amountText: "700",
  currency: "usd",
  sought: {},
  fromMs: (AT_S - 5) * 1000,
  toMs: (AT_S + 120) * 1000,
  ...change,
});
const textOf = (body: Uint8Array | undefined): unknown => JSON.parse(new TextDecoder().decode(body));

describe("Stripe's events", () => {
  const books = theBooksOf("stripe");
  const charge = {
    id: "ch_1",
    object: "charge",
    amount: 700,
    currency: "usd",
    created: AT_S,
    status: "succeeded",
  };
  const event = (
    type: string,
    object: object,
    key: string | null = "key-1",
    id: string | null = "req_1",
  ): Json => ({
    id: `evt_${type}`,
    created: AT_S,
    data: { object },
    request: { id, idempotency_key: key },
    type,
  });

  test.each<[string, Json, Partial<BooksQuestion>, boolean]>([
    ["of the same key", event("charge.succeeded", charge), {}, true],
    ["of another key", event("charge.succeeded", charge, "key-2"), {}, false],
    ["of no key, of a call that had one", event("charge.succeeded", charge, null), {}, false],
    ["of no request", event("charge.succeeded", charge, null, null), {}, false],
    [
      "of no key, of a call without",
      event("payout.created", { ...charge, object: "payout" }, null),
      { idempotencyKey: null, path: "/v1/payouts" },
      true,
    ],
    [
      "of another kind of object",
      event("transfer.created", { ...charge, object: "transfer" }, null),
      { idempotencyKey: null, path: "/v1/payouts" },
      false,
    ],
    [
      "of another amount",
      event("payout.created", { ...charge, object: "payout", amount: 701 }, null),
      { idempotencyKey: null, path: "/v1/payouts" },
      false,
    ],
    [
      "of another currency",
      event("payout.created", { ...charge, object: "payout", currency: "eur" }, null),
      { idempotencyKey: null, path: "/v1/payouts" },
      false,
    ],
    [
      "of a minute before",
      event("payout.created", { ...charge, object: "payout", created: AT_S - 60 }, null),
      { idempotencyKey: null, path: "/v1/payouts" },
      false,
    ],
    [
      "of what became of it later",
      event("payout.paid", { ...charge, object: "payout" }, null),
      { idempotencyKey: null, path: "/v1/payouts" },
      false,
    ],
  ])("an event %s", (_, entry, change, expected) => {
    expect(books.isMatch(entry, question(change))).toBe(expected);
  });

  test("the object of the call's own kind is the answer, as it was last", () => {
    const intent = { id: "pi_1", object: "payment_intent", amount: 700, currency: "usd" };
    const events = [
      event("payment_intent.succeeded", { ...intent, status: "succeeded" }),
      event("charge.succeeded", charge),
      event("payment_intent.created", { ...intent, status: "requires_confirmation" }),
    ];
    const answer = books.answer(events, question({ path: "/v1/payment_intents" }));

    expect(answer).toMatchObject({ status: 200, headers: { "request-id": ["req_1"] } });
    expect(textOf(answer?.body)).toMatchObject({ id: "pi_1", status: "succeeded" });
  });

  test("where no event shows an object of its kind, it was executed all the same", () => {
    const answer = books.answer([event("charge.refunded", charge)], question({ path: "/v1/refunds" }));

    expect([answer?.status, textOf(answer?.body)]).toEqual([200, charge]);
  });

  test.each([
    ["charge.failed", { ...charge, status: "failed" }, { error: {} }],
    [
      "payment_intent.payment_failed",
      { id: "pi_1", object: "payment_intent" },
      { error: { payment_intent: { id: "pi_1", object: "payment_intent" } } },
    ],
  ])("%s is a decline", (type, object, body) => {
    const answer = books.answer([event(type, object)], question());

    expect([answer?.status, textOf(answer?.body)]).toEqual([402, body]);
  });

  test.each([
    "charge.succeeded",
    "invoice.paid",
    "charge.captured",
    "payment_intent.amount_capturable_updated",
  ])("a decline beside %s is no answer: nothing that may have been charged goes back", (type) => {
    const events = [event("payment_intent.payment_failed", { ...charge, id: "pi_1" }), event(type, charge)];

    expect(books.answer(events, question())).toBeNull();
  });

  test("nothing, or two objects without a key, is no answer", () => {
    const other = event("payout.created", { ...charge, object: "payout", id: "po_2" }, null);
    const one = event("payout.created", { ...charge, object: "payout", id: "po_1" }, null);
    const unkeyed = question({ idempotencyKey: null, path: "/v1/payouts" });

    expect(books.answer([], question())).toBeNull();
    expect(books.answer([one, other], unkeyed)).toBeNull();
    expect(books.answer([one, { ...one, id: "evt_2" }], unkeyed)?.status).toBe(200);
    expect([books.guessedId(one, unkeyed), books.guessedId(one, question())]).toEqual(["po_1", null]);
  });

  test.each<[string, Partial<BooksQuestion>]>([
    ["a change of an object", { path: "/v1/payment_intents/pi_1", idempotencyKey: null }],
    ["a call without an amount", { path: "/v1/payouts", idempotencyKey: null, amountText: null }],
  ])("are not asked for %s without a key", (_, change) => {
    expect(books.page(question(change), null)).toBeNull();
  });

  test("are asked for by time and kind, page by page", () => {
    const sought = { "stripe-account": "acct_1" };
    expect(books.page(question({ sought }), "evt_9")).toEqual({
      path: "/v1/events",
      query: {
        limit: ["100"],
        "created[gte]": [`${AT_S - 5}`],
        "created[lte]": [`${AT_S + 120}`],
        type: ["charge.*"],
        starting_after: ["evt_9"],
      },
      headers: sought,
    });
    const page = { data: [event("charge.succeeded", charge)], has_more: true };
    expect(books.read(page, question()).next).toBe("evt_charge.succeeded");
    expect(books.read({ ...page, has_more: false }, question()).next).toBeNull();
    expect(books.read({}, question())).toEqual({ entries: [], next: null });
  });
});

describe("Twilio's lists", () => {
  const books = theBooksOf("twilio");
  const path = `/2010-04-01/Accounts/AC${"0".repeat(32)}/Messages.json`;
  const asked = (sought: Readonly<Record<string, string>> = { to: "+14155550100", from: "+15005550006" }) =>
    question({ path, idempotencyKey: null, sought });
  const message: Json = {
    sid: `SM${"1".repeat(32)}`,
    direction: "outbound-api",
    to: "+14155550100",
    from: "+15005550006",
    date_created: new Date(AT_S * 1000).toUTCString(),
    messaging_service_sid: null,
  };

  test.each<[string, Json, boolean]>([
    ["what was asked for", {}, true],
    ["to another number", { to: "+14155550199" }, false],
    ["from another number", { from: "+15005550001" }, false],
    ["a reply of theirs", { direction: "inbound" }, false],
    ["what a flow sent", { direction: "outbound-reply" }, false],
    ["an hour before", { date_created: new Date((AT_S - 3600) * 1000).toUTCString() }, false],
    ["without a date", { date_created: null }, false],
  ])("%s", (_, change, expected) => {
    expect(books.isMatch({ ...message, ...change }, asked())).toBe(expected);
  });

  test("of a Messaging Service, whatever its number", () => {
    const sought = { to: "+14155550100", service: `MG${"2".repeat(32)}` };
    expect(books.isMatch({ ...message, messaging_service_sid: sought.service }, asked(sought))).toBe(true);
    expect(books.isMatch(message, asked(sought))).toBe(false);
  });

  test("one message is the answer, two are none", () => {
    expect(books.answer([message], asked())?.status).toBe(201);
    expect(books.answer([message, { ...message, sid: "SM2" }], asked())).toBeNull();
  });

  test("are read until they are too old", () => {
    const page = { messages: [message], next_page_uri: `${path}?Page=1&PageSize=100&PageToken=PASM1` };
    expect(books.read(page, asked())).toEqual({
      entries: [message],
      next: "Page=1&PageSize=100&PageToken=PASM1",
    });
    const old = { ...message, date_created: new Date((AT_S - 3600) * 1000).toUTCString() };
    expect(books.read({ ...page, messages: [message, old] }, asked()).next).toBeNull();
    expect(books.page(asked(), "Page=1&PageToken=PASM1")?.query).toMatchObject({
      Page: ["1"],
      PageToken: ["PASM1"],
    });
  });

  test("are asked for with parameters of Twilio's own description, and tell what it says they do", () => {
    const root = createRequire(import.meta.url).resolve("@twilio/cli-core/package.json");
    const description: unknown = JSON.parse(
      readFileSync(join(root, "../src/services/twilio-api/twilio_api_v2010.json"), "utf8"),
    );
    for (const [name, schema] of [
      ["Messages", "message"],
      ["Calls", "call"],
    ] as const) {
      const listed = `/2010-04-01/Accounts/AC${"0".repeat(32)}/${name}.json`;
      const query = books.page({ ...asked(), path: listed }, "Page=1&PageToken=PASM1")?.query ?? {};
      const operation = at(
        description,
        "paths",
        `/2010-04-01/Accounts/{AccountSid}/${name}.json`,
        "get",
        "parameters",
      );
      const known = (operation as readonly { name: string }[]).map((parameter) => parameter.name);
      expect(Object.keys(query).filter((parameter) => !known.includes(parameter))).toEqual([]);
      const fields = Object.keys(
        at(description, "components", "schemas", `api.v2010.account.${schema}`, "properties") as object,
      );
      expect(fields).toEqual(expect.arrayContaining(["sid", "to", "from", "direction", "date_created"]));
    }
  });
});

describe("Resend's list", () => {
  const books = theBooksOf("resend");
  const email = { from: "Acme <a@example.com>", to: ["b@example.com"], subject: "Hi", text: "not kept" };
  const kept = (body: unknown) =>
    soughtOf(
      {
        method: "POST",
        path: "/emails",
        query: {},
        headers: { "content-type": ["application/json"] },
        body: Buffer.from(JSON.stringify(body)),
      },
      {
        amount: 1n as never,
        amountText: null,
        currency: null,
        fxRate: null,
        recipients: null,
        explanation: null,
      },
    );
  const sought = kept(email) ?? {};
  const asked = question({ path: "/emails", idempotencyKey: "key-1", sought });
  const listed = {
    id: "e-1",
    created_at: new Date(AT_S * 1000).toISOString(),
    cc: null,
    bcc: null,
    ...email,
  };

  test.each<[string, Json, boolean]>([
    ["the same e-mail", {}, true],
    ["with another subject", { subject: "Ho" }, false],
    ["to others too", { cc: ["c@example.com"] }, false],
    ["from another sender", { from: "x@example.com" }, false],
    ["a day before", { created_at: new Date((AT_S - 86_400) * 1000).toISOString() }, false],
  ])("%s", (_, change, expected) => {
    expect(books.isMatch({ ...listed, ...change }, asked)).toBe(expected);
  });

  test("a recipient is the same as a text and in a list", () => {
    expect(kept({ ...email, to: "b@example.com" })).toEqual(sought);
    expect(JSON.stringify(sought)).not.toContain("example.com");
  });

  test.each([
    ["a batch", [email]],
    ["a template without subject", { ...email, subject: undefined }],
    ["a large body", { ...email, text: "x".repeat(100_001) }],
  ])("%s is not looked up", (_, body) => {
    expect(kept(body)).toBeNull();
  });
});
