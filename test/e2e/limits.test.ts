import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { at } from "../support/json.ts";
import {
  ask,
  callRows,
  issue,
  type Key,
  type OwnRun,
  pay,
  post,
  type Reply,
  startOwn,
} from "../support/keybrake.ts";
import { type Simulator, simulatorAt } from "../support/simulator.ts";

/** Guarantees that the limits of a key inside a call are read strictly, and that calls beyond them are refused. */

let run: OwnRun;
beforeAll(async () => {
  run = await startOwn({ rateCard: { rates: { eur: "1.1" } } });
});
afterAll(() => run.close());

const issued = (json: object): Promise<Reply> =>
  ask(run, "POST", "/vault/keys", { token: run.apiKey, json: { daily_usd_cap: 50, ...json } });

const reasons = async (key: Key): Promise<readonly unknown[]> =>
  (await callRows(run, key)).map(({ reason }) => reason);

const upstreamOf = (vendor: "stripe" | "twilio" | "resend"): Simulator =>
  simulatorAt(run.vendor(vendor).origin);

describe("when a key is issued", () => {
  test.each([
    ["stripe", { allowed_accounts: ["acct_1032D82eZvKYlo2C", "org_1/acct_2"] }],
    ["stripe", { allowed_currencies: ["usd", "eur"] }],
    ["stripe", { allowed_recipients: ["cus_NffrFeUfNV2Hib", "acct_1032D82eZvKYlo2C"] }],
    [
      "twilio",
      { allowed_recipients: ["+1", "+4479", "whatsapp:+15555550100", "client:ann", "ann@example.com"] },
    ],
    ["twilio", { max_recipients: 1 }],
    ["resend", { allowed_recipients: ["example.com", "ann@example.org"], max_recipients: 10_000 }],
  ])("a limit of %s is shown with the key: %j", async (vendor, limits) => {
    const { status, json } = await issued({ vendor, ...limits });

    expect(status).toBe(201);
    expect(json).toMatchObject(limits);
    const shown = await ask(run, "GET", `/vault/keys/${at(json, "id")}`, { token: run.apiKey });
    expect(shown.json).toMatchObject(limits);
  });

  test("no limit is null, given or not", async () => {
    const none = {
      allowed_accounts: null,
      allowed_currencies: null,
      allowed_recipients: null,
      max_recipients: null,
    };

    expect((await issued({ vendor: "stripe" })).json).toMatchObject(none);
    expect((await issued({ vendor: "resend", ...none })).json).toMatchObject(none);
  });

  test.each([
    [
      "stripe",
      { allowed_currencies: ["USD"] },
      "allowed_currencies",
      'got "USD"',
      'codes of currencies in small letters, such as "usd"',
    ],
    [
      "stripe",
      { allowed_currencies: ["usd", "dollar"] },
      "allowed_currencies",
      'got "dollar"',
      'such as "usd"',
    ],
    [
      "stripe",
      { allowed_currencies: [] },
      "allowed_currencies",
      "got an empty list",
      "leave it out for no limit",
    ],
    ["stripe", { allowed_currencies: "usd" }, "allowed_currencies", "expected a list", '["usd", "eur"]'],
    ["stripe", { allowed_currencies: [1] }, "allowed_currencies.0", "expected a list", '["usd", "eur"]'],
    [
      "stripe",
      { allowed_currencies: Array(51).fill("usd") },
      "allowed_currencies",
      "at most 50 entries",
      "50",
    ],
    [
      "stripe",
      { allowed_accounts: ["cus_1"] },
      "allowed_accounts",
      'got "cus_1"',
      "ids of accounts such as acct_1032D82eZvKYlo2C",
    ],
    [
      "stripe",
      { allowed_accounts: ["acct_1, acct_2"] },
      "allowed_accounts",
      'got "acct_1, acct_2"',
      "ids of accounts",
    ],
    [
      "stripe",
      { allowed_recipients: ["ann@example.com"] },
      "allowed_recipients",
      'got "ann@example.com"',
      "ids of customers",
    ],
    [
      "twilio",
      { allowed_recipients: ["4155550100"] },
      "allowed_recipients",
      'got "4155550100"',
      'the start of a phone number such as "+1"',
    ],
    ["twilio", { allowed_recipients: ["*"] }, "allowed_recipients", 'got "*"', "the start of a phone number"],
    [
      "resend",
      { allowed_recipients: ["*.example.com"] },
      "allowed_recipients",
      'got "*.example.com"',
      'a domain such as "example.com"',
    ],
    [
      "resend",
      { allowed_recipients: ["Ann <ann@example.com>"] },
      "allowed_recipients",
      "got",
      "or an address such as",
    ],
    [
      "resend",
      { allowed_recipients: ["@example.com"] },
      "allowed_recipients",
      'got "@example.com"',
      "a domain such as",
    ],
    ["resend", { max_recipients: 0 }, "max_recipients", "expected a whole number from 1 to 10000", "10000"],
    ["resend", { max_recipients: 1.5 }, "max_recipients", "expected a whole number", "1 to 10000"],
    ["resend", { max_recipients: "5" }, "max_recipients", "expected a whole number", "1 to 10000"],
    ["resend", { max_recipients: 10_001 }, "max_recipients", "expected a whole number", "1 to 10000"],
  ])(
    "%s: %j is a 400 that names the field and says what is accepted",
    async (vendor, limits, field, got, accepted) => {
      const { status, json } = await issued({ vendor, ...limits });

      expect(status).toBe(400);
      expect(at(json, "error", "code")).toBe("invalid_request");
      expect(at(json, "error", "field")).toBe(field);
      const message = `${at(json, "error", "message")}`;
      expect(message.startsWith(`${field}: `)).toBe(true);
      expect(message).toContain(got);
      expect(message).toContain(accepted);
    },
  );

  test.each([
    ["stripe", { max_recipients: 5 }, "allowed_accounts, allowed_currencies, allowed_recipients"],
    ["twilio", { allowed_currencies: ["usd"] }, "allowed_recipients, max_recipients"],
    ["twilio", { allowed_accounts: ["acct_1"] }, "allowed_recipients, max_recipients"],
    ["resend", { allowed_currencies: ["usd"] }, "allowed_recipients, max_recipients"],
    ["resend", { allowed_accounts: ["acct_1"] }, "allowed_recipients, max_recipients"],
  ])(
    "%s: %j is refused, since a limit that would do nothing must not be taken for one",
    async (vendor, limits, accepted) => {
      const { status, json } = await issued({ vendor, ...limits });

      const [field] = Object.keys(limits);
      expect(status).toBe(400);
      expect(at(json, "error", "message")).toBe(
        `${field}: ${vendor} has no such limit; expected ${accepted}`,
      );
    },
  );

  test("a limit cannot be changed afterwards, only a new key can have another one", async () => {
    const key = await issue(run, { allowed_currencies: ["usd"] });

    const { status, json } = await ask(run, "PATCH", `/vault/keys/${key.id}`, {
      token: run.apiKey,
      json: { allowed_currencies: null },
    });

    expect(status).toBe(400);
    expect(at(json, "error", "message")).toContain("allowed_currencies: unknown field");
  });
});

/** What was refused, with its code, as the caller sees it. */
function expectDenied(reply: Reply, code: string, ...parts: readonly string[]): void {
  expect([reply.status, reply.headers["keybrake-charged"]], reply.text).toEqual([403, "no"]);
  const shown = at(reply.json, "error", "code") ?? at(reply.json, "keybrake_code") ?? at(reply.json, "code");
  expect(shown).toBe(code);
  const message = `${at(reply.json, "error", "message") ?? at(reply.json, "message")}`;
  for (const part of [...parts, "nothing was charged"]) expect(message).toContain(part);
}

describe("in calls to Stripe", () => {
  test("a currency that is not allowed is refused, in any case of letters, and one that is allowed goes through", async () => {
    const key = await issue(run, { allowed_currencies: ["eur"] });
    const before = (await upstreamOf("stripe").requests()).length;

    expectDenied(
      await pay(run, key, 100),
      "currency_not_allowed",
      "allows the currencies eur; this call is in usd",
    );
    expectDenied(
      await pay(run, key, 100, { currency: "USD" }),
      "currency_not_allowed",
      "this call is in usd",
    );
    expect((await pay(run, key, 100, { currency: "EUR" })).status).toBe(200);

    expect((await upstreamOf("stripe").requests()).length).toBe(before + 1);
    expect(await reasons(key)).toEqual([null, "currency_not_allowed", "currency_not_allowed"]);
  });

  test("what is free of money is free of the limit on currencies", async () => {
    const key = await issue(run, { allowed_currencies: ["eur"] });

    expect((await post(run, key, "/v1/customers", { name: "Ann" })).status).toBe(200);
    expect((await ask(run, "GET", "/stripe/v1/payment_intents?limit=1", { token: key.token })).status).toBe(
      200,
    );
  });

  test("a refund is in the currency of its charge, whoever made that", async () => {
    const [wide, euros] = await Promise.all([issue(run), issue(run, { allowed_currencies: ["eur"] })]);
    const charge = await post(run, wide, "/v1/charges", {
      amount: "300",
      currency: "usd",
      source: "tok_visa",
    });

    const refund = await post(run, euros, "/v1/refunds", {
      charge: `${at(charge.json, "id")}`,
      amount: "100",
    });

    expectDenied(refund, "currency_not_allowed", "this call is in usd");
    expect(await reasons(euros)).toEqual(["currency_not_allowed"]);
  });

  test("a customer that is not allowed is refused, so is a call that names none, and one that is allowed goes through", async () => {
    const wide = await issue(run);
    const [ann, bob] = await Promise.all(
      ["Ann", "Bob"].map(
        async (name) => `${at((await post(run, wide, "/v1/customers", { name })).json, "id")}`,
      ),
    );
    const key = await issue(run, { allowed_recipients: [ann] });

    expectDenied(
      await pay(run, key, 100, { customer: `${bob}` }),
      "recipient_not_allowed",
      `allows the recipients ${ann}`,
      `${bob}`,
    );
    expectDenied(await pay(run, key, 100), "recipient_not_allowed", "this call names no recipient");
    expect((await pay(run, key, 100, { customer: `${ann}` })).status).toBe(200);
    expect(await reasons(key)).toEqual([null, "recipient_not_allowed", "recipient_not_allowed"]);
  });

  test("a PaymentIntent of another customer cannot be confirmed or captured, though the call names nobody", async () => {
    const wide = await issue(run);
    const [ann, bob] = await Promise.all(
      ["Ann", "Bob"].map(
        async (name) => `${at((await post(run, wide, "/v1/customers", { name })).json, "id")}`,
      ),
    );
    const intentOf = async (customer: string | undefined) =>
      `${at((await pay(run, wide, 100, { customer: `${customer}` })).json, "id")}`;
    const [anns, bobs] = await Promise.all([intentOf(ann), intentOf(bob)]);
    const key = await issue(run, { allowed_recipients: [ann] });
    const confirm = (id: string | undefined) =>
      post(run, key, `/v1/payment_intents/${id}/confirm`, { payment_method: "pm_card_visa" });

    expectDenied(await confirm(bobs), "recipient_not_allowed", `this call goes to "${bob}"`);
    expect((await confirm(anns)).status).toBe(200);
    expect(await reasons(key)).toEqual([null, "recipient_not_allowed"]);
  });

  test("another account is refused in a header and in a field, and one that is allowed reaches Stripe", async () => {
    const [none, some] = await Promise.all([
      issue(run),
      issue(run, { allowed_accounts: ["acct_1032D82eZvKYlo2C"] }),
    ]);
    const on = (account: string) => ({ "Stripe-Account": account });
    const stripe = upstreamOf("stripe");
    const before = (await stripe.requests()).length;

    expectDenied(
      await pay(run, none, 100, {}, on("acct_1032D82eZvKYlo2C")),
      "account_not_allowed",
      "stripe-account",
    );
    expectDenied(await pay(run, some, 100, {}, on("acct_other")), "account_not_allowed", "stripe-account");
    expectDenied(
      await pay(run, none, 100, { on_behalf_of: "acct_1032D82eZvKYlo2C" }),
      "account_not_allowed",
      "on_behalf_of",
    );
    expectDenied(
      await pay(run, some, 100, { "transfer_data[destination]": "acct_other" }),
      "account_not_allowed",
      "transfer_data",
    );
    expect((await stripe.requests()).length).toBe(before);

    const allowed = await pay(run, some, 100, {}, on("acct_1032D82eZvKYlo2C"));
    expect(allowed.status, allowed.text).toBe(200);
    const [last] = (await stripe.requests()).slice(-1);
    expect(at(last, "stripe_account")).toBe("acct_1032D82eZvKYlo2C");
    expect(await reasons(none)).toEqual(["account_not_allowed", "account_not_allowed"]);
    expect(await reasons(some)).toEqual([null, "account_not_allowed", "account_not_allowed"]);
  });
});

describe("in calls to Twilio", () => {
  const ACCOUNT = "/twilio/2010-04-01/Accounts/AC00000000000000000000000000000000";
  const write = (key: Key, to: string, from = "+15005550006") =>
    ask(run, "POST", `${ACCOUNT}/Messages.json`, {
      token: key.token,
      form: { To: to, From: from, Body: "x" },
    });

  test("a number that is not allowed is refused on every channel, and one that begins as allowed goes through", async () => {
    const key = await issue(run, {
      vendor: "twilio",
      allowed_recipients: ["+1415", "whatsapp:+15555550100"],
    });
    const before = (await upstreamOf("twilio").requests()).length;

    expectDenied(
      await write(key, "+12125550100"),
      "recipient_not_allowed",
      "+1415",
      'this call goes to "+12125550100"',
    );
    expectDenied(await write(key, "+447911123456"), "recipient_not_allowed");
    expectDenied(await write(key, "+15555550100"), "recipient_not_allowed");
    expectDenied(await write(key, "whatsapp:+12125550100", "whatsapp:+15005550006"), "recipient_not_allowed");
    expect((await upstreamOf("twilio").requests()).length).toBe(before);

    expect((await write(key, "+14155550100")).status).toBe(201);
    expect(await reasons(key)).toEqual([null, ...Array(4).fill("recipient_not_allowed")]);
  });

  test("calls and verifications keep to it, and a lookup, which reaches nobody, is free of it", async () => {
    const key = await issue(run, { vendor: "twilio", allowed_recipients: ["+1415"], max_recipients: 1 });
    const call = (to: string) =>
      ask(run, "POST", `${ACCOUNT}/Calls.json`, {
        token: key.token,
        form: { To: to, From: "+15005550006", TimeLimit: "60", Twiml: "<Response><Say>Hi</Say></Response>" },
      });
    const verify = (to: string) =>
      ask(run, "POST", "/twilio/verify/v2/Services/VA11111111111111111111111111111111/Verifications", {
        token: key.token,
        form: { To: to, Channel: "sms" },
      });

    expectDenied(await call("+12125550100"), "recipient_not_allowed");
    expectDenied(await verify("+12125550100"), "recipient_not_allowed");
    expect((await call("+14155550100")).status).toBe(201);
    expect((await verify("+14155550100")).status).toBe(201);
    const looked = await ask(run, "GET", "/twilio/lookups/v2/PhoneNumbers/+12125550100?Fields=caller_name", {
      token: key.token,
    });
    expect(looked.status).toBe(200);
    expect(await reasons(key)).toEqual([null, null, null, "recipient_not_allowed", "recipient_not_allowed"]);
  });
});

describe("in calls to Resend", () => {
  const email = (fields: object) => ({ from: "a@example.org", subject: "x", text: "y", ...fields });
  const send = (key: Key, fields: object) =>
    ask(run, "POST", "/resend/emails", { token: key.token, json: email(fields) });
  const batch = (key: Key, emails: readonly object[]) =>
    ask(run, "POST", "/resend/emails/batch", { token: key.token, json: emails.map(email) });

  test("a recipient that is not allowed is refused wherever it is named, and nobody gets the e-mail", async () => {
    const key = await issue(run, {
      vendor: "resend",
      allowed_recipients: ["example.com", "ann@example.net"],
    });
    const before = (await upstreamOf("resend").requests()).length;

    for (const fields of [
      { to: "ann@example.org" },
      { to: "bob@example.net" },
      { to: "ann@mail.example.com" },
      { to: "ann@example.com.evil.example" },
      { to: '"ann@example.com" <eve@evil.example>' },
      { to: ["ann@example.com", "eve@evil.example"] },
      { to: "ann@example.com", cc: "eve@evil.example" },
      { to: "ann@example.com", bcc: ["ann@example.net", "eve@evil.example"] },
    ]) {
      const reply = await send(key, fields);
      // An address in quotes can be read in two ways, so it is refused for that.
      if (reply.status === 400) expect(at(reply.json, "code")).toBe("ambiguous_request");
      else expectDenied(reply, "recipient_not_allowed", "allows the recipients example.com, ann@example.net");
    }
    expectDenied(
      await batch(key, [{ to: "ann@example.com" }, { to: "eve@evil.example" }]),
      "recipient_not_allowed",
    );
    expect((await upstreamOf("resend").requests()).length).toBe(before);

    expect((await send(key, { to: ["Ann <ann@EXAMPLE.com>"], cc: "ann@example.net" })).status).toBe(200);
    const rows = await reasons(key);
    expect(rows).toHaveLength(10);
    expect(rows.filter((reason) => reason === "recipient_not_allowed")).toHaveLength(8);
  });

  test("more recipients than a call may have are refused, each counted as often as it is named", async () => {
    const key = await issue(run, { vendor: "resend", max_recipients: 3 });
    const before = (await upstreamOf("resend").requests()).length;

    expectDenied(
      await send(key, { to: ["a@example.com", "b@example.com"], cc: "c@example.com", bcc: "d@example.com" }),
      "too_many_recipients",
      "allows 3 recipients in a call; this one has 4",
    );
    expectDenied(
      await send(key, { to: Array(4).fill("a@example.com") }),
      "too_many_recipients",
      "this one has 4",
    );
    expectDenied(
      await batch(key, [
        { to: ["a@example.com", "b@example.com"] },
        { to: ["c@example.com", "d@example.com"] },
      ]),
      "too_many_recipients",
      "this one has 4",
    );
    expect((await upstreamOf("resend").requests()).length).toBe(before);

    expect((await send(key, { to: ["a@example.com", "b@example.com"], bcc: "c@example.com" })).status).toBe(
      200,
    );
    expect(await reasons(key)).toEqual([null, ...Array(3).fill("too_many_recipients")]);
  });

  test("a limit stands beside the caps and the allowlist, and costs no budget", async () => {
    const key = await issue(run, {
      vendor: "resend",
      daily_usd_cap: 0.0009,
      allowed_endpoints: ["POST /emails"],
      allowed_recipients: ["example.com"],
    });

    expect((await batch(key, [{ to: "a@example.com" }])).status).toBe(403);
    expectDenied(await send(key, { to: "eve@evil.example" }), "recipient_not_allowed");
    expect((await send(key, { to: "a@example.com" })).status).toBe(200);
    expect((await send(key, { to: "a@example.com" })).status).toBe(429);
    expect(await reasons(key)).toEqual([
      "spend_cap_exceeded",
      null,
      "recipient_not_allowed",
      "endpoint_not_allowed",
    ]);
  });
});
