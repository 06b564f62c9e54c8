import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { endpointOf } from "../../lambda/vendors/catalog-entry.ts";
import { twilio } from "../../lambda/vendors/twilio/twilio.ts";
import { UNLIMITED } from "../support/unlimited.ts";
import {
  ACCOUNT,
  bytes,
  CALL,
  getting,
  HEX,
  LOOKUP,
  MESSAGE,
  MESSAGES,
  messageOf,
  micros,
  OWN,
  posting,
  RATE_CARD,
  refusal,
  ruleOf,
  SAY,
  TO,
  VERIFICATIONS,
  ZEROS,
} from "./twilio-harness.ts";

/** Guarantees what costs nothing, what is denied, whom a key reaches, and what comes back. */

describe("what costs nothing", () => {
  test.each([
    ["a message is cancelled", posting(MESSAGE, "Status=canceled"), null],
    ["its text is erased", posting(MESSAGE, "Body="), null],
    ["another text", posting(MESSAGE, "Body=a"), "endpoint_not_priced"],
    ["both at once", posting(MESSAGE, "Status=canceled&Body="), "endpoint_not_priced"],
    ["nothing", posting(MESSAGE, ""), "endpoint_not_priced"],
    ["another status", posting(MESSAGE, "Status=sent"), "endpoint_not_priced"],
    ["a call is ended", posting(CALL, "Status=completed"), null],
    ["a call is cancelled", posting(CALL, "Status=canceled"), null],
    ["a call is led elsewhere", posting(CALL, "Url=https%3A%2F%2Fa.example"), "endpoint_not_priced"],
    ["a call gets other instructions", posting(CALL, `Twiml=${SAY}`), "endpoint_not_priced"],
    ["a call may last longer", posting(CALL, "TimeLimit=14400"), "endpoint_not_priced"],
    ["a call is ended and led elsewhere", posting(CALL, "Status=completed&Url=a"), "endpoint_not_priced"],
    [
      "a verification is checked",
      posting(`/verify/v2/Services/VA${HEX}/VerificationCheck`, `${TO}&Code=1234`),
      null,
    ],
    ["a verification is approved", posting(`${VERIFICATIONS}/VE${HEX}`, "Status=approved"), null],
    [
      "a verification is sent again",
      posting(`${VERIFICATIONS}/VE${HEX}`, "Status=pending"),
      "endpoint_not_priced",
    ],
    [
      "messages are listed",
      getting(MESSAGES, { To: ["+1555"], "DateSent>": ["2026-11-01"], PageSize: ["50"] }),
      null,
    ],
    ["with another method in the query", getting(MESSAGES, { _method: ["POST"] }), "ambiguous_request"],
    ["with a text", getting(MESSAGES, { Body: ["hi"] }), "ambiguous_request"],
    ["with a parameter twice", getting(MESSAGES, { To: ["+1555", "+44"] }), "ambiguous_request"],
    ["with a body", { ...getting(MESSAGES), body: bytes("To=1") }, "ambiguous_request"],
    ["a message is deleted", getting(MESSAGE, {}, "DELETE"), null],
    ["a message is deleted with a query", getting(MESSAGE, { To: ["1"] }, "DELETE"), "ambiguous_request"],
    [
      "a price list",
      getting("/pricing/v2/Voice/Numbers/+15555550100", { OriginationNumber: ["+1555"] }),
      null,
    ],
  ])("%s", (_, request, code) => {
    expect(refusal(request)).toBe(code);
  });
});

describe("what is denied", () => {
  test.each([
    ["GET", `${ACCOUNT}.json`, /auth token/],
    ["GET", "/2010-04-01/Accounts.json", /auth token/],
    ["POST", `${ACCOUNT}/Keys.json`, /credentials/],
    ["GET", `${ACCOUNT}/SigningKeys/SK${HEX}.json`, /credentials/],
    ["POST", `${ACCOUNT}/Tokens.json`, /credentials/],
    ["POST", `${ACCOUNT}/IncomingPhoneNumbers.json`, /phone numbers/],
    ["POST", `${ACCOUNT}/IncomingPhoneNumbers/Local.json`, /phone numbers/],
    ["POST", `${ACCOUNT}/Conferences/CF${HEX}/Participants.json`, /people or instructions/],
    ["POST", `${ACCOUNT}/Calls/CA${HEX}/Recordings.json`, /recordings/],
    ["POST", `${ACCOUNT}/Usage/Triggers.json`, /whole account/],
    ["POST", `${ACCOUNT}/SMS/ShortCodes/SC${HEX}.json`, /short codes/],
    ["PUT", `${ACCOUNT}/Messages.json`, /could incur charges/],
    ["POST", `${ACCOUNT}/NewThing.json`, null],
    ["POST", `${ACCOUNT}/Messages`, /\.json/],
    ["POST", `${ACCOUNT}/Messages.xml`, /\.json/],
    ["GET", `${ACCOUNT}/Messages.csv`, /\.json/],
    ["POST", `${ACCOUNT}/Calls/CA${HEX}`, /\.json/],
    ["POST", "/studio/v2/Flows/FW1/Executions", /on its own/],
    ["POST", "/conversations/v1/Conversations", /on its own/],
    ["POST", "/proxy/v1/Services", /on its own/],
    ["POST", "/accounts/v1/AuthTokens/Secondary", /credentials/],
    ["POST", "/iam/v1/Keys", /credentials/],
    ["POST", "/oauth/v2/token", /credentials/],
    ["POST", `/verify/v2/Services/VA${HEX}/AccessTokens`, /access tokens/],
    ["POST", "/lookups/v2/batch/query", /many numbers/],
    ["POST", "/messaging/v1/a2p/BrandRegistrations", /for a fee/],
  ])("%s %s", (method, path, reason) => {
    expect(ruleOf({ method, path })).toMatchObject({
      kind: "denied",
      reason: reason === null ? null : expect.stringMatching(reason),
    });
  });

  test("a host that is not known has no entry at all", () => {
    expect(endpointOf(twilio, "GET", "/newhost/v1/Things")).toBeNull();
  });

  test("a header never is, and the token that Twilio sends with webhooks does not reach it", () => {
    expect(twilio.refuseHeaders({ "i-twilio-idempotency-token": ["a"] }, UNLIMITED)).toBeNull();
    expect(twilio.forwardedHeaders).not.toContain("i-twilio-idempotency-token");
  });
});

describe("where a call goes", () => {
  const SECRET = `${OWN}:token`;

  test("both ways to write the oldest API are one path of the catalog", () => {
    expect(twilio.catalogPath(`/api${MESSAGES}`)).toBe(MESSAGES);
    expect(twilio.catalogPath(MESSAGES)).toBe(MESSAGES);
    expect(twilio.catalogPath(LOOKUP)).toBe(LOOKUP);
    expect(endpointOf(twilio, "GET", twilio.catalogPath(`/api/api${MESSAGES}`))).toBeNull();
  });

  test.each([
    [MESSAGES, "main", `/2010-04-01/Accounts/${OWN}/Messages.json`],
    [`/2010-04-01/Accounts/${OWN}/Calls.json`, "main", `/2010-04-01/Accounts/${OWN}/Calls.json`],
    [VERIFICATIONS, "verify", `/v2/Services/VA${HEX}/Verifications`],
    [LOOKUP, "lookups", "/v2/PhoneNumbers/+15555550100"],
    ["/pricing/v1/Voice/Countries/US", "pricing", "/v1/Voice/Countries/US"],
    [`/messaging/v1/Services/MG${HEX}/PhoneNumbers`, "messaging", `/v1/Services/MG${HEX}/PhoneNumbers`],
  ])("%s", (path, host, target) => {
    expect(twilio.address({ method: "POST", path }, SECRET)).toEqual({
      host,
      path: target,
      standInPath: host === "main" ? target : path,
    });
    expect(twilio.origins[host]).toBe(`https://${host === "main" ? "api" : host}.twilio.com`);
  });

  test.each([
    "ACbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb",
    OWN.toUpperCase(),
    "AC0",
    "AC000000000000000000000000000000000",
    "ACtoken",
  ])("the account %s is another one, and the answer says what to write", (account) => {
    const problem = twilio.address(
      { method: "POST", path: `/2010-04-01/Accounts/${account}/Messages.json` },
      SECRET,
    );
    expect(problem).toMatchObject({ code: "account_not_allowed" });
    expect(messageOf(problem)).toContain(ZEROS);
    expect(messageOf(problem)).not.toContain(OWN);
  });

  test.each([
    [SECRET, `${OWN}:token`],
    [`  ${OWN}:token\n`, `${OWN}:token`],
    [`${OWN}:SK${HEX}:secret`, `SK${HEX}:secret`],
  ])("the credential %j is sent as Basic", (secret, basic) => {
    expect(twilio.authorize(secret)).toEqual({
      authorization: `Basic ${Buffer.from(basic).toString("base64")}`,
    });
    expect(twilio.address({ method: "POST", path: MESSAGES }, secret)).toMatchObject({
      host: "main",
      path: `/2010-04-01/Accounts/${OWN}/Messages.json`,
    });
  });

  test.each([
    "",
    OWN,
    `${OWN}:`,
    `SK${HEX}:secret`,
    `${OWN}:SK${HEX}:`,
    `${OWN}:a:b`,
    `${OWN}:a b`,
    `${OWN}:a\nb`,
    "AC1:token",
  ])("%j is no credential", (secret) => {
    expect(twilio.authorize(secret)).toBeNull();
  });
});

const NOW_MS = Date.UTC(2026, 10, 27);
/** Ended so many hours ago, with no price. */
const untold = (status: string, hours: number) => ({
  sid: `SM${HEX}`,
  status,
  to: "+15555550100",
  price: null,
  price_unit: "USD",
  date_updated: new Date(NOW_MS - hours * 3_600_000).toUTCString().replace("GMT", "+0000"),
});

describe("the final price", () => {
  const latePrices = twilio.latePrices;
  if (latePrices === null) throw new Error("Twilio tells prices late");

  test("stands in the object that the call made", () => {
    expect(latePrices.lookup(`SM${HEX}`)).toBe(`${ACCOUNT}/Messages/SM${HEX}.json`);
    expect(latePrices.lookup(`MM${HEX}`)).toBe(`${ACCOUNT}/Messages/MM${HEX}.json`);
    expect(latePrices.lookup(`CA${HEX}`)).toBe(`${ACCOUNT}/Calls/CA${HEX}.json`);
  });

  test("can be looked up for nothing", () => {
    for (const id of [`SM${HEX}`, `MM${HEX}`, `CA${HEX}`])
      expect(refusal(getting(latePrices.lookup(id)))).toBeNull();
  });

  test.each([
    ["a charge", { price: "-0.00750", price_unit: "USD" }, 7_500, "0.00750", "usd", null],
    ["one in small letters", { price: "-0.03", price_unit: "usd" }, 30_000, "0.03", "usd", null],
    [
      "one below a micro-dollar, rounded up",
      { price: "-0.00750001", price_unit: "USD" },
      7_501,
      "0.00750001",
      "usd",
      null,
    ],
    ["a whole number", { price: "-2", price_unit: "USD" }, 2_000_000, "2", "usd", null],
    ["nothing", { price: "0.00000", price_unit: "USD", status: "delivered" }, 0, "0.00000", "usd", null],
    ["a credit", { price: "0.5", price_unit: "USD", status: "failed" }, 0, "0.5", "usd", null],
    ["another currency", { price: "-0.01", price_unit: "EUR" }, 11_000, "0.01", "eur", 1.1],
    [
      "a message that failed for a fee",
      { price: "-0.001", price_unit: "USD", status: "failed" },
      1_000,
      "0.001",
      "usd",
      null,
    ],
  ])("%s", (_, found, price, amountText, currency, fxRate) => {
    expect(latePrices.read(found, RATE_CARD, NOW_MS)).toEqual({
      kind: "final",
      final: { price: micros(price), amountText, currency, fxRate },
    });
  });

  test.each([
    ["no price", { price: null, price_unit: "USD", status: "sent" }],
    ["a message that failed at a time that is not told", { price: null, status: "failed" }],
    ["a message that was not delivered", { ...untold("undelivered", 1000) }],
    ["a message that was delivered", { ...untold("delivered", 1000) }],
    ["a call that was taken", { ...untold("completed", 1000), sid: `CA${HEX}` }],
    ["a message that failed 48 hours ago", { ...untold("failed", 48) }],
    ["one that failed with a price that cannot be read", { ...untold("failed", 1000), price: "none" }],
    ["a currency without a rate", { price: "-0.01", price_unit: "JPY" }],
    ["no currency", { price: "-0.01", price_unit: null }],
    ["no number", { price: "-1e3", price_unit: "USD" }],
    ["nothing at all", {}],
    ["the name of an object's property", { price: "-1", price_unit: "constructor" }],
  ])("is not known with %s", (_, found) => {
    expect(latePrices.read(found, RATE_CARD, NOW_MS)).toMatchObject({ kind: "ended" });
  });

  test.each(["accepted", "scheduled", "queued", "sending", "initiated", "ringing", "in-progress"])(
    "is yet to come while it is %s, whatever it says",
    (status) => {
      for (const price of [null, "0", "0.5"])
        expect(
          latePrices.read({ ...untold(status, 1000), price, price_unit: "USD" }, RATE_CARD, NOW_MS),
        ).toEqual({
          kind: "under_way",
        });
    },
  );

  test.each([
    ["a message that failed: the fee", "SM", "failed", 1_000],
    ["a message that was cancelled: nothing", "SM", "canceled", 0],
    ["a call that was cancelled: nothing", "CA", "canceled", 0],
    ["a call that failed: nothing", "CA", "failed", 0],
    ["a call that met a busy line: nothing", "CA", "busy", 0],
    ["a call that nobody took: nothing", "CA", "no-answer", 0],
  ])("is known 48 hours after its end without being told: %s", (_, kind, status, price) => {
    const found = { ...untold(status, 49), sid: `${kind}${HEX}` };
    expect(latePrices.read(found, RATE_CARD, NOW_MS)).toMatchObject({
      kind: "final",
      final: { price: micros(price), currency: "usd", reason: "ended_without_price" },
    });
    expect(latePrices.read({ ...found, ...untold(status, 47) }, RATE_CARD, NOW_MS)).toMatchObject({
      kind: "ended",
    });
  });
});

describe("whom a key may reach", () => {
  test.each([
    ["+1", "+15555550100", true],
    ["+1", "whatsapp:+15555550100", true],
    ["+4479", "rcs:+447911123456", true],
    ["+4479", "+447811123456", false],
    ["+15555550100", "+15555550100", true],
    ["whatsapp:+15555550100", "whatsapp:+15555550100", true],
    ["whatsapp:+15555550100", "+15555550100", false],
    ["client:ann", "client:ann", true],
    ["client:ann", "client:anna", false],
    ["+1", "+1a@example.com", false],
    ["+1", "sip:+15555550100@a.example", false],
  ])("%s lets %s through: %s", (entry, recipient, expected) => {
    expect(twilio.recipients.isEntry(entry)).toBe(true);
    expect(twilio.recipients.allows(entry, recipient)).toBe(expected);
  });

  test.each(["", "+", "1555", "+1 555", "whatsapp:", "whatsapp:+1", "+1234567890123456", "*", "+1*"])(
    "%j is no entry",
    (entry) => {
      expect(twilio.recipients.isEntry(entry)).toBe(false);
    },
  );
});

describe("an answer of ours", () => {
  test.each([
    [400, 20001],
    [401, 20003],
    [403, 20403],
    [404, 20404],
    [413, 20001],
    [429, 20429],
    [500, 20500],
    [502, 20500],
    [504, 20500],
  ])("with the status %i has the code %i", (status, code) => {
    const { headers, body } = twilio.denial({
      status,
      code: "spend_cap_exceeded",
      repeats: false,
      message: "too much",
      requestId: "req_1",
      charged: "no",
      details: { cap_usd: 5, code: "detail" },
    });
    expect(JSON.parse(body)).toEqual({
      code,
      message: "too much",
      more_info: `https://www.twilio.com/docs/errors/${code}`,
      status,
      keybrake_code: "spend_cap_exceeded",
      request_id: "req_1",
      charged: "no",
      cap_usd: 5,
      details: {
        cap_usd: 5,
        code: "detail",
        keybrake_code: "spend_cap_exceeded",
        request_id: "req_1",
        charged: "no",
      },
    });
    expect(headers).toEqual({ "Twilio-Request-Id": "req_1", "Request-Id": "req_1" });
  });

  test("Twilio's own name of a request is kept", () => {
    expect(twilio.requestId({ "twilio-request-id": ["RQ1"] })).toBe("RQ1");
    expect(twilio.requestId({})).toBeNull();
  });
});

describe("links to other pages", () => {
  const BASE = "https://keys.example/twilio";
  const rewriteLinks = twilio.rewriteLinks;
  if (rewriteLinks === null) throw new Error("Twilio sends links");

  test("lead back here, and nothing else changes", () => {
    const body = `{ "meta" : {"page":0,\n "next_page_url": "https://verify.twilio.com/v2/Services?Page=1&PageToken=a%2Bb",
      "previous_page_url":null, "first_page_url":"https://verify.twilio.com/v2/Services?Page=0","url":"https://verify.twilio.com/v2/Services", "key":"services"},
      "services":[{"url":"https://verify.twilio.com/v2/Services/VA1","friendly_name":"caf\\u00e9  1.0"}], "n": 1.00}`;
    const expected = `{ "meta" : {"page":0,\n "next_page_url": "https://keys.example/twilio/verify/v2/Services?Page=1&PageToken=a%2Bb",
      "previous_page_url":null, "first_page_url":"https://keys.example/twilio/verify/v2/Services?Page=0","url":"https://keys.example/twilio/verify/v2/Services", "key":"services"},
      "services":[{"url":"https://verify.twilio.com/v2/Services/VA1","friendly_name":"caf\\u00e9  1.0"}], "n": 1.00}`;
    expect(rewriteLinks(body, BASE)).toBe(expected);
  });

  test.each([
    [
      "a text that looks like a link",
      '{"body":"\\"meta\\":{\\"url\\":\\"https://verify.twilio.com/\\"}","meta":{}}',
    ],
    [
      "a text that is one",
      '{"meta":{"key":"https://verify.twilio.com/"},"url":"https://verify.twilio.com/"}',
    ],
    ["a meta that is not the outermost", '{"a":{"meta":{"url":"https://verify.twilio.com/"}}}'],
    ["a meta in a list", '[{"meta":{"url":"https://verify.twilio.com/"}}]'],
    [
      "a link deeper inside of meta",
      '{"meta":{"a":{"url":"https://verify.twilio.com/"},"b":[{"url":"https://verify.twilio.com/"}]}}',
    ],
    [
      "a link of another host",
      '{"meta":{"url":"https://verify.twilio.com.example/","next_page_url":"http://verify.twilio.com/"}}',
    ],
    ["a link that does not begin so", '{"meta":{"url":" https://verify.twilio.com/"}}'],
    ["a list of links", '{"meta":{"url":["https://verify.twilio.com/"]}}'],
    ["what is not JSON", '{"meta":{"url":"https://verify.twilio.com/"}'],
    [
      "a relative link of the oldest API",
      '{"next_page_uri":"/2010-04-01/Accounts/AC1/Messages.json?Page=1"}',
    ],
  ])("leaves %s as it is", (_, body) => {
    expect(rewriteLinks(body, BASE)).toBe(body);
  });

  test("leads back beside a text of megabytes", () => {
    const text = "x".repeat(4_000_000);
    const body = (url: string) => JSON.stringify({ text, meta: { url } });
    expect(rewriteLinks(body("https://chat.twilio.com/v2/a"), BASE)).toBe(body(`${BASE}/chat/v2/a`));
  });

  test("changes nothing but links, whatever an answer holds", () => {
    const shape = fc.record({
      meta: fc.record({ url: fc.string(), next_page_url: fc.webUrl(), key: fc.string() }),
      items: fc.array(fc.dictionary(fc.constantFrom("url", "meta", "body"), fc.string())),
    });
    fc.assert(
      fc.property(shape, (value) => {
        const body = JSON.stringify(value);
        expect(rewriteLinks(body, BASE)).toBe(body);
        const linked = { ...value, meta: { ...value.meta, url: "https://chat.twilio.com/v2/a" } };
        expect(JSON.parse(rewriteLinks(JSON.stringify(linked), BASE))).toEqual({
          ...value,
          meta: { ...value.meta, url: `${BASE}/chat/v2/a` },
        });
      }),
    );
  });
});
