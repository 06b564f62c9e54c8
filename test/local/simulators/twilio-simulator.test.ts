import twilio from "twilio";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { startTwilioSimulator, type TwilioSimulator } from "../../../local/simulators/twilio/server.ts";
import { ownSideOf } from "./own-side.ts";

/** Guarantees that the simulated Twilio behaves as Twilio documents it. */

const ACCOUNT = "AC0123456789abcdef0123456789abcdef";
const OTHER_ACCOUNT = "ACffffffffffffffffffffffffffffffff";
const AUTH_TOKEN = "auth-token-0123456789";
const API_KEY = "SK0123456789abcdef0123456789abcdef";
const SERVICE = "VA0123456789abcdef0123456789abcdef";
const MESSAGING_SERVICE = "MG0123456789abcdef0123456789abcdef";
/** Mon, 23 Nov 2026 00:00:00 UTC. */
const START_MS = Date.UTC(2026, 10, 23);
const MINUTE_MS = 60_000;

let nowMs = START_MS;
let simulator: TwilioSimulator;
let client: twilio.Twilio;

beforeEach(async () => {
  nowMs = START_MS;
  simulator = await startTwilioSimulator({
    accountSid: ACCOUNT,
    authToken: AUTH_TOKEN,
    apiKeySid: API_KEY,
    apiKeySecret: "secret",
    now: () => nowMs,
  });
  client = connect(simulator, AUTH_TOKEN);
});

afterEach(() => simulator.close());

function connect({ origin }: TwilioSimulator, password: string, user = ACCOUNT, account = ACCOUNT) {
  const connected = twilio(user, password, { accountSid: account });
  connected.api.baseUrl = origin;
  connected.verify.baseUrl = `${origin}/verify`;
  connected.lookups.baseUrl = `${origin}/lookups`;
  connected.pricing.baseUrl = `${origin}/pricing`;
  return connected;
}

interface Books {
  object: string;
  spent_micro_usd: number;
  entries: Record<string, unknown>[];
}

const { books, fault } = ownSideOf<Books>(() => simulator.origin);

const spent = async (): Promise<number> => (await books()).spent_micro_usd;

async function deliver(delivery?: Record<string, unknown>) {
  const body = delivery === undefined ? {} : { body: JSON.stringify(delivery) };
  const answer = await fetch(`${simulator.origin}/deliver`, { method: "POST", ...body });
  return { status: answer.status, json: JSON.parse(await answer.text()) };
}

const basic = (user: string, password: string): string =>
  `Basic ${Buffer.from(`${user}:${password}`).toString("base64")}`;

/** A request without the SDK, since it hides headers and mends what it is given. */
async function ask(method: string, path: string, form?: Record<string, string>, authorization?: string) {
  const answer = await fetch(simulator.origin + path, {
    method,
    headers: { authorization: authorization ?? basic(ACCOUNT, AUTH_TOKEN) },
    ...(form === undefined ? {} : { body: new URLSearchParams(form) }),
  });
  const text = await answer.text();
  const isJson = answer.headers.get("content-type")?.startsWith("application/json") === true;
  return {
    status: answer.status,
    headers: answer.headers,
    text,
    json: isJson ? JSON.parse(text) : undefined,
  };
}

const API = `/2010-04-01/Accounts/${ACCOUNT}`;
const SMS = { to: "+14155550100", from: "+14155550199", body: "Hello" };
const SMS_FORM = { To: "+14155550100", From: "+14155550199", Body: "Hello" };
const CALL = { to: "+14155550100", from: "+14155550199", url: "https://example.com/twiml" };

describe("messages", () => {
  test("one is answered without a price, and the books know what it will cost", async () => {
    const message = await client.messages.create(SMS);

    expect(message).toMatchObject({
      accountSid: ACCOUNT,
      to: "+14155550100",
      from: "+14155550199",
      body: "Hello",
      status: "queued",
      numSegments: "1",
      numMedia: "0",
      direction: "outbound-api",
      dateCreated: new Date(START_MS),
      messagingServiceSid: null,
      uri: `${API}/Messages/${message.sid}.json`,
    });
    expect(message.sid).toMatch(/^SM[0-9a-f]{32}$/);
    expect(await books()).toEqual({
      object: "books",
      spent_micro_usd: 11_300,
      breaches: [],
      entries: [
        {
          id: message.sid,
          kind: "message",
          to: "+14155550100",
          count: 1,
          cost_micro_usd: 11_300,
          final: false,
          created_ms: START_MS,
          status: "queued",
          price: null,
          price_unit: null,
        },
      ],
    });
  });

  test("on the wire the price is null, the unit is USD, and dates are of RFC 2822", async () => {
    const { status, headers, json } = await ask("POST", `${API}/Messages.json`, SMS_FORM);

    expect(status).toBe(201);
    expect(headers.get("content-type")).toBe("application/json;charset=utf-8");
    expect(headers.get("twilio-request-id")).toMatch(/^RQ[0-9a-f]{32}$/);
    expect(json).toMatchObject({
      price: null,
      price_unit: "USD",
      date_created: "Mon, 23 Nov 2026 00:00:00 +0000",
      date_sent: null,
      api_version: "2010-04-01",
      subresource_uris: { media: `${API}/Messages/${json.sid}/Media.json` },
    });
  });

  test("a delivery makes the price known, and it is what the books said", async () => {
    const { sid } = await client.messages.create(SMS);
    nowMs += 5000;

    expect(await deliver()).toEqual({ status: 200, json: { delivered: [sid] } });

    const delivered = await client.messages(sid).fetch();
    expect(delivered).toMatchObject({ status: "delivered", price: "-0.01130", priceUnit: "USD" });
    expect(delivered.dateSent).toEqual(new Date(START_MS + 5000));
    expect(await books()).toMatchObject({
      spent_micro_usd: 11_300,
      entries: [{ final: true, cost_micro_usd: 11_300, price: "-0.01130", price_unit: "USD" }],
    });
    expect(await deliver()).toMatchObject({ json: { delivered: [] } });
  });

  test.each([
    ["160 letters", "a".repeat(160), 1],
    ["161 letters", "a".repeat(161), 2],
    ["306 letters", "a".repeat(306), 2],
    ["307 letters", "a".repeat(307), 3],
    ["80 euro signs", "€".repeat(80), 1],
    ["81 euro signs", "€".repeat(81), 2],
    ["35 emoji", "👍".repeat(35), 1],
    ["36 emoji", "👍".repeat(36), 2],
  ])("%s are sent as their segments, and each costs", async (_, body, segments) => {
    const message = await client.messages.create({ ...SMS, body });

    expect(message.numSegments).toBe(String(segments));
    expect(await spent()).toBe(segments * 11_300);
  });

  test("elsewhere than in North America a segment costs 8 cents", async () => {
    const { sid } = await client.messages.create({ ...SMS, to: "+447700900123" });
    await deliver();

    expect(await client.messages(sid).fetch()).toMatchObject({ price: "-0.08000" });
    expect(await spent()).toBe(80_000);
  });

  test("media make an MMS, at a price of its own however long its text is", async () => {
    const message = await client.messages.create({
      ...SMS,
      body: "a".repeat(500),
      mediaUrl: ["https://example.com/1.png", "https://example.com/2.png"],
    });

    expect(message.sid).toMatch(/^MM[0-9a-f]{32}$/);
    expect(message).toMatchObject({ numMedia: "2", numSegments: "1" });
    expect(await spent()).toBe(22_000);
  });

  test("through a Messaging Service the segments are 0 until it is sent", async () => {
    const message = await client.messages.create({
      to: SMS.to,
      messagingServiceSid: MESSAGING_SERVICE,
      body: "a".repeat(161),
    });
    expect(message).toMatchObject({ numSegments: "0", from: null, status: "accepted", priceUnit: null });
    expect(await spent()).toBe(22_600);

    await deliver();
    expect(await client.messages(message.sid).fetch()).toMatchObject({
      numSegments: "2",
      price: "-0.02260",
      priceUnit: "USD",
    });
  });

  test("a delivery says another price, unit and status, and the books follow it", async () => {
    const dear = await client.messages.create(SMS);
    const lost = await client.messages.create(SMS);
    const foreign = await client.messages.create(SMS);

    await deliver({ sid: dear.sid, price: "-0.5", price_unit: "usd" });
    await deliver({ sid: lost.sid, status: "failed" });
    await deliver({ sid: foreign.sid, price: "-2", price_unit: "JPY" });

    expect(await client.messages(dear.sid).fetch()).toMatchObject({ price: "-0.5", priceUnit: "usd" });
    expect(await client.messages(lost.sid).fetch()).toMatchObject({
      status: "failed",
      errorCode: 30008,
      price: "-0.00100",
    });
    expect(await client.messages(foreign.sid).fetch()).toMatchObject({ price: "-2", priceUnit: "JPY" });
    const { spent_micro_usd, entries } = await books();
    expect(spent_micro_usd).toBe(501_000);
    expect(entries.map(({ cost_micro_usd }) => cost_micro_usd)).toEqual([500_000, 1000, null]);
  });

  test("a price can stay unknown after the delivery, until a later one tells it", async () => {
    const { sid } = await client.messages.create(SMS);

    await deliver({ status: "undelivered", price: null });
    expect(await client.messages(sid).fetch()).toMatchObject({ status: "undelivered" });
    expect(await books()).toMatchObject({ entries: [{ price: null, final: false, cost_micro_usd: 11_300 }] });

    await deliver();
    expect(await client.messages(sid).fetch()).toMatchObject({ status: "undelivered", price: "-0.01130" });
  });

  test.each([
    ['{"price":0.5}', "price must be"],
    ['{"price":"-0.0000001"}', "price must be"],
    ['{"status":"lost"}', "status must be"],
    ['{"duration":"1"}', "duration must be"],
    ['{"sidd":"x"}', "unknown field sidd"],
    ['{"sid":"SM1"}', "there is no message or call SM1"],
    ["no json", "a delivery is a JSON object"],
  ])("the delivery %s is refused", async (body, message) => {
    await client.messages.create(SMS);

    const answer = await fetch(`${simulator.origin}/deliver`, { method: "POST", body });

    expect(answer.status).toBe(400);
    expect(await answer.text()).toContain(message);
    expect(await books()).toMatchObject({ entries: [{ final: false }] });
  });

  test("what has ended cannot end again", async () => {
    const { sid } = await client.messages.create(SMS);
    await deliver({ sid });

    expect(await deliver({ sid, price: "0" })).toMatchObject({ status: 400 });
    expect(await spent()).toBe(11_300);
  });

  test.each([
    ["no To", { To: "" }, 21604],
    ["a To that is not a number", { To: "5" }, 21211],
    ["no sender", { From: "" }, 21603],
    ["an empty Body", { Body: "" }, 21602],
    ["a Body of 1601 characters", { Body: "a".repeat(1601) }, 21617],
    ["a Messaging Service that is none", { MessagingServiceSid: "MG1" }, 21701],
  ])("one with %s is refused, and costs nothing", async (_, change, code) => {
    const { status, json } = await ask("POST", `${API}/Messages.json`, { ...SMS_FORM, ...change });

    expect(status).toBe(400);
    expect(json).toEqual({
      code,
      message: expect.any(String),
      more_info: `https://www.twilio.com/docs/errors/${code}`,
      status: 400,
    });
    expect(await spent()).toBe(0);
  });

  test("one that says nothing at all is refused in words of its own", async () => {
    const call = client.messages.create({ to: SMS.to, from: SMS.from });

    await expect(call).rejects.toMatchObject({
      status: 400,
      code: 21619,
      message: "A text message body or media urls must be specified.",
    });
  });

  test("the list is newest first, in pages whose links are relative and keep the filters", async () => {
    const first = await client.messages.create(SMS);
    await client.messages.create({ ...SMS, to: "+14155550101" });
    const second = await client.messages.create(SMS);
    const third = await client.messages.create(SMS);

    const { json } = await ask("GET", `${API}/Messages.json?To=%2B14155550100&PageSize=2`);
    const listed = await client.messages.list({ to: SMS.to, pageSize: 2 });

    expect(json).toMatchObject({
      page: 0,
      page_size: 2,
      start: 0,
      end: 1,
      first_page_uri: `${API}/Messages.json?To=%2B14155550100&PageSize=2&Page=0`,
      previous_page_uri: null,
      next_page_uri: `${API}/Messages.json?To=%2B14155550100&PageSize=2&Page=1&PageToken=PA${second.sid}`,
      messages: [{ sid: third.sid }, { sid: second.sid }],
    });
    expect(listed.map(({ sid }) => sid)).toEqual([third.sid, second.sid, first.sid]);
  });

  test("a page leads back to the one before it", async () => {
    for (let count = 0; count < 3; count++) await client.messages.create(SMS);

    const first = await client.messages.page({ pageSize: 2 });
    const second = await first.nextPage();
    const back = await second?.previousPage();

    expect(second?.instances).toHaveLength(1);
    expect(second?.nextPage()).toBeUndefined();
    expect(back?.instances.map(({ sid }) => sid)).toEqual(first.instances.map(({ sid }) => sid));
  });

  test("the list is searched by the date sent, which those that wait do not have", async () => {
    const sent = await client.messages.create(SMS);
    await deliver();
    await client.messages.create(SMS);

    const after = await client.messages.list({ dateSentAfter: new Date(START_MS) });
    const before = await client.messages.list({ dateSentBefore: new Date(START_MS - 1) });

    expect(after.map(({ sid }) => sid)).toEqual([sent.sid]);
    expect(before).toEqual([]);
  });

  test("what one said can be taken away, and its price stays", async () => {
    const { sid } = await client.messages.create({ ...SMS, body: "a".repeat(161) });

    const redacted = await client.messages(sid).update({ body: "" });

    expect(redacted).toMatchObject({ body: "", numSegments: "2" });
    expect(await spent()).toBe(22_600);
  });

  test("one can be deleted once it is delivered, and stays in the books", async () => {
    const { sid } = await client.messages.create(SMS);
    await expect(client.messages(sid).remove()).rejects.toMatchObject({ status: 409, code: 20009 });
    await deliver();

    expect(await client.messages(sid).remove()).toBe(true);

    await expect(client.messages(sid).fetch()).rejects.toMatchObject({ status: 404, code: 20404 });
    expect(await client.messages.list()).toEqual([]);
    expect(await spent()).toBe(11_300);
  });

  test("a scheduled one waits, and costs nothing once it is cancelled", async () => {
    const schedule = { messagingServiceSid: MESSAGING_SERVICE, scheduleType: "fixed" } as const;
    const sendAt = new Date(START_MS + 30 * MINUTE_MS);
    const { sid, status } = await client.messages.create({ to: SMS.to, body: "Later", ...schedule, sendAt });
    expect(status).toBe("scheduled");
    expect(await deliver()).toMatchObject({ json: { delivered: [] } });
    expect(await spent()).toBe(11_300);

    expect(await client.messages(sid).update({ status: "canceled" })).toMatchObject({ status: "canceled" });

    expect(await books()).toMatchObject({ spent_micro_usd: 0, entries: [{ count: 0, final: true }] });
    await expect(client.messages(sid).update({ status: "canceled" })).rejects.toMatchObject({ code: 30409 });
  });
});

describe("calls", () => {
  test("one is answered without a price, and ends at the price of its minutes", async () => {
    const call = await client.calls.create(CALL);
    expect(call).toMatchObject({ status: "queued", price: null, priceUnit: "USD", duration: null });
    expect(call.sid).toMatch(/^CA[0-9a-f]{32}$/);
    expect(await books()).toMatchObject({
      spent_micro_usd: 14_000,
      entries: [{ kind: "call", count: 1, final: false }],
    });

    await deliver({ sid: call.sid, duration: 121 });

    expect(await client.calls(call.sid).fetch()).toMatchObject({
      status: "completed",
      duration: "121",
      price: "-0.04200",
      startTime: new Date(START_MS),
      endTime: new Date(START_MS + 121_000),
    });
    expect(await books()).toMatchObject({ spent_micro_usd: 42_000, entries: [{ count: 3, final: true }] });
  });

  test("Twilio hangs up at the time limit", async () => {
    const { sid } = await client.calls.create({ ...CALL, timeLimit: 90 });

    await deliver({ sid, duration: 3600 });

    expect(await client.calls(sid).fetch()).toMatchObject({ duration: "90", price: "-0.02800" });
  });

  test.each(["no-answer", "busy", "failed"])(
    "one that ends with %s costs nothing, and has no price",
    async (status) => {
      const { sid } = await client.calls.create(CALL);

      await deliver({ sid, status });

      expect(await client.calls(sid).fetch()).toMatchObject({ status, duration: "0", price: null });
      expect(await books()).toMatchObject({ spent_micro_usd: 0, entries: [{ count: 0, final: true }] });
    },
  );

  test("one that is hung up has lasted until then, and its price is known later", async () => {
    const { sid } = await client.calls.create(CALL);
    nowMs += 90_000;

    const ended = await client.calls(sid).update({ status: "completed" });
    expect(ended).toMatchObject({ status: "completed", duration: "90", price: null });
    expect(await books()).toMatchObject({ spent_micro_usd: 28_000, entries: [{ final: false }] });

    await deliver();
    expect(await client.calls(sid).fetch()).toMatchObject({ duration: "90", price: "-0.02800" });
    await expect(client.calls(sid).update({ status: "completed" })).rejects.toMatchObject({ code: 21220 });
  });

  test("one can be cancelled, given new TwiML, and a longer limit", async () => {
    const { sid } = await client.calls.create({ ...CALL, timeLimit: 60 });

    await client.calls(sid).update({ twiml: "<Response><Hangup/></Response>", timeLimit: 120 });
    await deliver({ sid, duration: 500 });
    const other = await client.calls.create(CALL);
    await client.calls(other.sid).update({ status: "canceled" });

    expect(await client.calls(sid).fetch()).toMatchObject({ duration: "120" });
    expect(await spent()).toBe(28_000);
    expect((await client.calls.list({ status: "canceled" })).map((call) => call.sid)).toEqual([other.sid]);
  });

  test.each([
    ["no To", { To: "" }, 21201],
    ["a To that is not a number", { To: "5" }, 21211],
    ["no From", { From: "" }, 21213],
    ["nothing to say", { Url: "" }, 21205],
    ["a time limit that is none", { TimeLimit: "-1" }, 20001],
  ])("one with %s is refused", async (_, change, code) => {
    const form = { To: CALL.to, From: CALL.from, Url: CALL.url, ...change };

    expect(await ask("POST", `${API}/Calls.json`, form)).toMatchObject({ status: 400, json: { code } });
    expect(await spent()).toBe(0);
  });
});

describe("deliveries by the clock", () => {
  test("messages and calls deliver themselves, with the dates of when they were due", async () => {
    const timed = await startTwilioSimulator({
      accountSid: ACCOUNT,
      now: () => nowMs,
      deliverAfterMs: 10_000,
    });
    try {
      const own = connect(timed, "any");
      const message = await own.messages.create(SMS);
      const call = await own.calls.create(CALL);
      nowMs += 9999;
      expect((await own.messages(message.sid).fetch()).status).toBe("queued");

      nowMs += MINUTE_MS;

      expect(await own.messages(message.sid).fetch()).toMatchObject({
        status: "delivered",
        price: "-0.01130",
        dateSent: new Date(START_MS + 10_000),
      });
      expect(await own.calls(call.sid).fetch()).toMatchObject({ duration: "60", price: "-0.01400" });
      expect(await (await fetch(`${timed.origin}/books`)).json()).toMatchObject({
        spent_micro_usd: 25_300,
        entries: [{ final: true }, { final: true }],
      });
    } finally {
      await timed.close();
    }
  });
});

describe("verify", () => {
  const service = () => client.verify.v2.services(SERVICE);

  test("every code that is sent costs, and the right one approves", async () => {
    const first = await service().verifications.create({ to: SMS.to, channel: "sms" });
    const again = await service().verifications.create({ to: SMS.to, channel: "call" });
    expect(first.sid).toMatch(/^VE[0-9a-f]{32}$/);
    expect(again).toMatchObject({ sid: first.sid, status: "pending", valid: false });
    expect(again.sendCodeAttempts).toHaveLength(2);
    expect(await service().verifications(first.sid).fetch()).toMatchObject({ channel: "call" });

    const wrong = await service().verificationChecks.create({ to: SMS.to, code: "000000" });
    const right = await service().verificationChecks.create({ to: SMS.to, code: "123456" });

    expect(wrong).toMatchObject({ status: "pending", valid: false });
    expect(right).toMatchObject({ sid: first.sid, status: "approved", valid: true });
    await expect(service().verifications(first.sid).fetch()).rejects.toMatchObject({
      status: 404,
      code: 20404,
    });
    expect(await books()).toMatchObject({
      spent_micro_usd: 100_000,
      entries: [
        { kind: "verification", to: "+14155550100", count: 1, cost_micro_usd: 50_000, final: true },
        { kind: "verification", to: "+14155550100", count: 1, cost_micro_usd: 50_000, final: true },
      ],
    });
  });

  test("a sixth code to the same recipient is refused", async () => {
    for (let count = 0; count < 5; count++)
      await service().verifications.create({ to: SMS.to, channel: "sms" });

    await expect(service().verifications.create({ to: SMS.to, channel: "sms" })).rejects.toMatchObject({
      status: 429,
      code: 60203,
    });
    expect(await spent()).toBe(250_000);
  });

  test("a channel, a recipient or a service that is none is refused", async () => {
    const path = `/verify/v2/Services/${SERVICE}/Verifications`;

    expect(await ask("POST", path, { To: SMS.to })).toMatchObject({ status: 400, json: { code: 20001 } });
    expect(await ask("POST", path, { To: SMS.to, Channel: "pigeon" })).toMatchObject({
      status: 400,
      json: { code: 60200, message: "Invalid parameter `Channel`: pigeon" },
    });
    expect(await ask("POST", path, { To: "5", Channel: "sms" })).toMatchObject({ json: { code: 60200 } });
    expect(await ask("POST", "/verify/v2/Services/VA1/Verifications", {})).toMatchObject({ status: 404 });
    expect(await spent()).toBe(0);
  });

  test("the links between pages of services lead to the real host", async () => {
    const sids = ["a", "b", "c"].map((letter) => `VA${letter.repeat(32)}`);
    for (const sid of sids)
      await client.verify.v2.services(sid).verifications.create({ to: "+14155550100", channel: "sms" });

    const { json } = await ask("GET", "/verify/v2/Services?PageSize=2");
    const nextUrl = new URL(json.meta.next_page_url);
    const next = await ask("GET", `/verify${nextUrl.pathname}${nextUrl.search}`);

    expect(json.meta).toEqual({
      page: 0,
      page_size: 2,
      first_page_url: "https://verify.twilio.com/v2/Services?PageSize=2&Page=0",
      previous_page_url: null,
      url: "https://verify.twilio.com/v2/Services?PageSize=2&Page=0",
      next_page_url: `https://verify.twilio.com/v2/Services?PageSize=2&Page=1&PageToken=PA${sids[1]}`,
      key: "services",
    });
    expect(json.services.map(({ sid }: { sid: string }) => sid)).toEqual([sids[2], sids[1]]);
    expect(next.json).toMatchObject({ meta: { next_page_url: null }, services: [{ sid: sids[0] }] });
  });
});

describe("lookups and pricing", () => {
  test("a lookup is free without fields, and costs for each of them", async () => {
    const plain = await client.lookups.v2.phoneNumbers("+14155550100").fetch();
    expect(plain).toMatchObject({
      valid: true,
      countryCode: "US",
      nationalFormat: "(415) 555-0100",
      lineTypeIntelligence: null,
      url: "https://lookups.twilio.com/v2/PhoneNumbers/+14155550100",
    });
    expect(await spent()).toBe(0);

    const dear = await client.lookups.v2
      .phoneNumbers("+14155550100")
      .fetch({ fields: "line_type_intelligence,sim_swap" });

    expect(dear.lineTypeIntelligence).toMatchObject({ type: "mobile" });
    expect(await books()).toMatchObject({
      spent_micro_usd: 16_000,
      entries: [{ kind: "lookup", to: "+14155550100", count: 2, final: true }],
    });
  });

  test("the plus of a number comes raw or encoded, and a malformed number costs nothing", async () => {
    for (const number of ["+14155550100", "%2B14155550100"])
      expect(await ask("GET", `/lookups/v2/PhoneNumbers/${number}`)).toMatchObject({
        json: { phone_number: "+14155550100" },
      });

    const { json } = await ask("GET", "/lookups/v2/PhoneNumbers/+1?Fields=sim_swap");

    expect(json).toMatchObject({ valid: false, sim_swap: null });
    expect(await spent()).toBe(0);
  });

  test("the older lookup costs for each type", async () => {
    const number = client.lookups.v1.phoneNumbers("+14155550100");

    expect(await number.fetch()).toMatchObject({ carrier: null });
    expect((await number.fetch({ type: ["carrier", "caller-name"] })).carrier).toMatchObject({
      type: "mobile",
    });
    expect(await spent()).toBe(16_000);
  });

  test("the Pricing API tells the price of a segment, without the carrier's fee", async () => {
    const usa = await client.pricing.v1.messaging.countries("US").fetch();
    const germany = await client.pricing.v1.messaging.countries("DE").fetch();

    expect(usa).toMatchObject({ country: "United States", isoCountry: "US", priceUnit: "USD" });
    expect(usa.outboundSmsPrices[0]).toMatchObject({
      prices: [{ number_type: "local", base_price: "0.00830", current_price: "0.00830" }],
    });
    expect(germany.outboundSmsPrices[0]).toMatchObject({ prices: [{ base_price: "0.08000" }] });
    await expect(client.pricing.v1.messaging.countries("XX").fetch()).rejects.toMatchObject({ code: 20404 });
  });
});

describe("numbers and the account", () => {
  test("a number that is bought is in the books, so that a proxy that lets it through is found out", async () => {
    await expect(client.incomingPhoneNumbers.create({ phoneNumber: "+14155550123" })).rejects.toMatchObject({
      status: 404,
    });

    expect(await books()).toMatchObject({
      spent_micro_usd: 0,
      breaches: [{ method: "POST", path: `${API}/IncomingPhoneNumbers.json` }],
    });
  });

  test("the account would be answered with its auth token: who asks for it is in the books too", async () => {
    await expect(client.api.v2010.accounts(ACCOUNT).fetch()).rejects.toMatchObject({ status: 404 });

    expect(await books()).toMatchObject({ breaches: [{ method: "GET", path: `${API}.json` }] });
  });
});

describe("credentials, paths and formats", () => {
  test("the auth token and an API key open the account, anything else is a 401", async () => {
    await connect(simulator, "secret", API_KEY).messages.create(SMS);
    const path = `${API}/Messages.json`;
    const wrong = [
      basic(ACCOUNT, "secret"),
      basic(API_KEY, AUTH_TOKEN),
      basic("", ""),
      `Bearer ${AUTH_TOKEN}`,
    ];

    for (const authorization of wrong) {
      expect(await ask("POST", path, SMS_FORM, authorization)).toMatchObject({
        status: 401,
        json: {
          code: 20003,
          message: "Authenticate",
          more_info: "https://www.twilio.com/docs/errors/20003",
          status: 401,
        },
      });
    }
    expect(await spent()).toBe(11_300);
  });

  test("another account's path is a 404, as if it did not exist", async () => {
    const path = `/2010-04-01/Accounts/${OTHER_ACCOUNT}/Messages.json`;

    expect(await ask("POST", path, SMS_FORM)).toMatchObject({
      status: 404,
      json: { code: 20404, message: `The requested resource ${path} was not found` },
    });
    await expect(client.messages("SM00000000000000000000000000000000").fetch()).rejects.toMatchObject({
      status: 404,
      code: 20404,
    });
  });

  test.each([
    ["GET", `${API}/Recordings.json`],
    ["POST", `${API}/Queues.json`],
    ["GET", "/messaging/v1/Services"],
    ["GET", "/chat/v2/Services"],
  ])("%s %s is refused as what the simulator lacks, not Twilio", async (method, path) => {
    const { status, json } = await ask(method, path);

    expect([status, json.code]).toEqual([404, 20404]);
    expect(json.message).toContain("This is Keybrake's simulator of Twilio");
  });

  test("the balance is what the books leave of $1,000", async () => {
    expect(await client.balance.fetch()).toMatchObject({
      accountSid: ACCOUNT,
      balance: "1000.000000",
      currency: "USD",
    });

    await ask("POST", `${API}/Messages.json`, SMS_FORM);

    expect(await client.balance.fetch()).toMatchObject({ balance: "999.988700" });
  });

  test("the API can be named by its host too", async () => {
    const { status, json } = await ask("POST", `/api${API}/Messages.json`, SMS_FORM);

    expect(status).toBe(201);
    expect(json.uri).toBe(`${API}/Messages/${json.sid}.json`);
  });

  test("a path that does not end in .json is answered in XML", async () => {
    const { status, headers, text } = await ask("POST", `${API}/Messages`, { ...SMS_FORM, Body: "<&>" });
    const refused = await ask("POST", `${API}/Messages`, {});
    const listed = await ask("GET", `${API}/Messages`);

    expect(status).toBe(201);
    expect(headers.get("content-type")).toBe("application/xml");
    expect(text).toContain("<TwilioResponse><Message><Body>&lt;&amp;&gt;</Body><NumSegments>1</NumSegments>");
    expect(refused).toMatchObject({ status: 400 });
    expect(refused.text).toContain("<RestException><Code>21604</Code>");
    expect(listed.text).toMatch(/<Messages [^>]*page="0"><Message><Body>/);
    expect(await spent()).toBe(11_300);
  });

  test("without an account of its own any credential opens the default one", async () => {
    const open = await startTwilioSimulator();
    try {
      const own = connect(
        open,
        "any",
        "AC00000000000000000000000000000000",
        "AC00000000000000000000000000000000",
      );
      expect(await own.messages.create(SMS)).toMatchObject({ status: "queued" });
    } finally {
      await open.close();
    }
  });
});

describe("faults and log", () => {
  test("429 sends nothing", async () => {
    await fault({ kind: "429" });

    await expect(client.messages.create(SMS)).rejects.toMatchObject({ status: 429, code: 20429 });
    expect(await spent()).toBe(0);
  });

  test.each([
    ["500_before", 0],
    ["500_after", 11_300],
  ])("%s is a 500, having cost %i", async (kind, cost) => {
    await fault({ kind });

    await expect(client.messages.create(SMS)).rejects.toMatchObject({ status: 500, code: 20500 });
    expect(await spent()).toBe(cost);
  });

  test.each([
    ["break_before", 0],
    ["break_after", 11_300],
  ])("%s closes the connection, having cost %i", async (kind, cost) => {
    await fault({ kind });

    await expect(ask("POST", `${API}/Messages.json`, SMS_FORM)).rejects.toThrow("fetch failed");
    expect(await spent()).toBe(cost);
  });

  test("a fault of a path spares the others", async () => {
    await fault({ kind: "429", path: "/Calls", times: -1 });

    await client.messages.create(SMS);
    await expect(client.calls.create(CALL)).rejects.toMatchObject({ status: 429 });
    await fetch(`${simulator.origin}/faults`, { method: "DELETE" });
    await client.calls.create(CALL);
    expect(await spent()).toBe(25_300);
  });

  test("the log shows requests as they came, and no credential", async () => {
    await client.messages.create({ ...SMS, mediaUrl: ["https://example.com/1", "https://example.com/2"] });

    const text = await (await fetch(`${simulator.origin}/requests`)).text();

    expect(JSON.parse(text)).toMatchObject([
      {
        method: "POST",
        path: `${API}/Messages.json`,
        content_type: "application/x-www-form-urlencoded",
        idempotency_key: null,
        body:
          "To=%2B14155550100&From=%2B14155550199&Body=Hello" +
          "&MediaUrl=https%3A%2F%2Fexample.com%2F1&MediaUrl=https%3A%2F%2Fexample.com%2F2",
      },
    ]);
    expect(text).not.toContain(AUTH_TOKEN);
    expect(text).not.toContain(basic(ACCOUNT, AUTH_TOKEN));
  });

  test("200 parallel messages are 200 charges", async () => {
    await Promise.all(Array.from({ length: 200 }, () => client.messages.create(SMS)));

    const { spent_micro_usd, entries } = await books();
    expect(entries).toHaveLength(200);
    expect(spent_micro_usd).toBe(2_260_000);
  });

  test("closing cuts requests that wait, and they have cost nothing", async () => {
    const slow = await startTwilioSimulator({ latencyMs: 60_000 });
    const read = async (path: string) => (await fetch(slow.origin + path)).json();
    const waiting = fetch(
      `${slow.origin}/2010-04-01/Accounts/AC00000000000000000000000000000000/Messages.json`,
      {
        method: "POST",
        headers: { authorization: basic("any", "any") },
        body: new URLSearchParams(SMS_FORM),
      },
    );
    const refused = expect(waiting).rejects.toThrow("fetch failed");
    while (JSON.stringify(await read("/requests")) === "[]")
      await new Promise((resolve) => setImmediate(resolve));

    expect(await read("/books")).toMatchObject({ spent_micro_usd: 0, entries: [] });
    await slow.close();
    await refused;
  });
});
