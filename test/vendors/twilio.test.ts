import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { UNLIMITED } from "../../lambda/domain/call-limits.ts";
import { microUsd } from "../../lambda/domain/money.ts";
import { Problem } from "../../lambda/domain/problem.ts";
import type { RateCard } from "../../lambda/domain/rate-card.ts";
import type { Known, Quote, VendorAnswer, VendorOutcome, VendorRequest } from "../../lambda/domain/vendor.ts";
import { endpointOf } from "../../lambda/vendors/endpoints.ts";
import { isTooLong, SEGMENTS_MAX, segmentsOf } from "../../lambda/vendors/twilio/segments.ts";
import { twilio } from "../../lambda/vendors/twilio/twilio.ts";
import { DEFAULT_RATE_CARD, rateCardWith } from "../support/rate-card.ts";

const OWN = "ACaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
const ZEROS = "AC00000000000000000000000000000000";
const HEX = "0123456789abcdef0123456789abcdef";
const ACCOUNT = `/2010-04-01/Accounts/${ZEROS}`;
const MESSAGES = `${ACCOUNT}/Messages.json`;
const MESSAGE = `${ACCOUNT}/Messages/SM${HEX}.json`;
const CALLS = `${ACCOUNT}/Calls.json`;
const CALL = `${ACCOUNT}/Calls/CA${HEX}.json`;
const VERIFICATIONS = `/verify/v2/Services/VA${HEX}/Verifications`;
const LOOKUP = "/lookups/v2/PhoneNumbers/+15555550100";
const LOOKUP_V1 = "/lookups/v1/PhoneNumbers/+15555550100";
const TO = "To=%2B15555550100";

/** Prices that are easy to multiply: a text message to +1 costs a cent. */
const RATE_CARD: RateCard = rateCardWith({
  rates: { eur: "1.1" },
  rateMarginPercent: 0,
  prices: {
    twilio: {
      sms: { "+1": "0.01", "+44": "0.05", default: "0.6" },
      mms: { "+1": "0.03", default: null },
      whatsapp: { "+1": "0.02", default: "0.3" },
      call_minute: { "+1": "0.1", "+1900": null, "client:": "0.001", "sip:": "0.002", default: "5" },
      recording_minute: "0.005",
      machine_detection: "0.02",
      failed_message: "0.001",
      verification: { "+1": "0.07", "email:": "0.06", default: "0.7" },
      lookup_field: { line_type_intelligence: "0.02", caller_name: "0.015", default: "0.3" },
    },
  },
});

const KNOWN: Known = { object: null, found: null, rateCard: RATE_CARD, limits: UNLIMITED };
const FORM = { "content-type": ["application/x-www-form-urlencoded"] };
const micros = (amount: number) => microUsd(BigInt(amount));
const bytes = (text: string) => new TextEncoder().encode(text);

const posting = (path: string, body: string, change: Partial<VendorRequest> = {}): VendorRequest => ({
  method: "POST",
  path,
  query: {},
  headers: FORM,
  body: bytes(body),
  ...change,
});

const getting = (path: string, query: VendorRequest["query"] = {}, method = "GET"): VendorRequest => ({
  method,
  path,
  query,
  headers: {},
  body: new Uint8Array(),
});

function ruleOf({ method, path }: Pick<VendorRequest, "method" | "path">) {
  const rule = endpointOf(twilio, method, path)?.rule;
  if (rule === undefined) throw new Error(`${method} ${path} is not in the catalog`);
  return rule;
}

function quoted(request: VendorRequest, rateCard = RATE_CARD): Quote | Problem {
  const rule = ruleOf(request);
  if (rule.kind !== "priced") throw new Error(`${request.path} has no price`);
  return rule.quote(request, { ...KNOWN, rateCard });
}

function quoteOf(request: VendorRequest, rateCard = RATE_CARD): Quote {
  const quote = quoted(request, rateCard);
  if (quote instanceof Problem) throw quote;
  return quote;
}

/** Of an allowed request null, of any other the code of its refusal. */
function refusal(request: VendorRequest, rateCard = RATE_CARD): string | null {
  const endpoint = endpointOf(twilio, request.method, request.path);
  if (endpoint === null || endpoint.rule.kind === "denied") return "denied";
  const result =
    endpoint.rule.kind === "free"
      ? endpoint.rule.check(request, UNLIMITED)
      : endpoint.rule.quote(request, { ...KNOWN, rateCard });
  return result instanceof Problem ? result.code : null;
}

const messageOf = (problem: unknown): string => {
  if (!(problem instanceof Problem)) throw new Error("it was not refused");
  return problem.message;
};

const answered = (status: number, body: unknown): VendorAnswer => ({
  status,
  headers: {},
  body: bytes(typeof body === "string" ? body : JSON.stringify(body)),
});

function readOf(request: VendorRequest, answer: VendorAnswer): VendorOutcome {
  const rule = ruleOf(request);
  if (rule.kind !== "priced") throw new Error(`${request.path} has no price`);
  return rule.read(answer, quoteOf(request), KNOWN, request);
}

const text = (body: string) => `${TO}&From=%2B15555550199&Body=${encodeURIComponent(body)}`;

describe("how many segments a text has", () => {
  test.each([
    ["nothing", "", 1],
    ["160 plain letters", "a".repeat(160), 1],
    ["161 plain letters", "a".repeat(161), 2],
    ["306 plain letters", "a".repeat(306), 2],
    ["307 plain letters", "a".repeat(307), 3],
    ["70 letters outside of GSM-7", "ç".repeat(70), 1],
    ["71 letters outside of GSM-7", "ç".repeat(71), 2],
    ["134 letters outside of GSM-7", "ç".repeat(134), 2],
    ["135 letters outside of GSM-7", "ç".repeat(135), 3],
    ["80 euros, which count twice", "€".repeat(80), 1],
    ["81 euros", "€".repeat(81), 2],
    ["35 emoji, which count twice", "👍".repeat(35), 1],
    ["36 emoji", "👍".repeat(36), 2],
    ["66 emoji, of which 33 fit into each of two", "👍".repeat(66), 2],
    ["67 emoji", "👍".repeat(67), 3],
    ["69 letters and one emoji", `${"a".repeat(69)}👍`, 2],
    ["68 letters and one emoji", `${"a".repeat(68)}👍`, 1],
    ["71 letters with curly quotes", `“${"a".repeat(69)}”`, 2],
    ["160 line breaks of two characters", "\r\n".repeat(80), 1],
    ["161 characters with such line breaks", `${"\r\n".repeat(80)}a`, 2],
    ["one letter under 500 accents", `a${"\u0301".repeat(500)}`, 8],
    ["60 fractions, which Smart Encoding makes longer", "¼".repeat(60), 2],
    ["1600 plain letters", "a".repeat(1600), 11],
    ["1600 letters outside of GSM-7", "ç".repeat(1600), 24],
  ])("%s", (_, body, segments) => {
    expect(segmentsOf(body)).toBe(segments);
  });

  test("are never fewer than its units need, nor more than a template is reserved with", () => {
    const letters = fc.constantFrom("a", "€", "ç", "👍", "“", "¼", "\u0301", "\r\n", "👩‍👩‍👧‍👦", "\ud83d");
    fc.assert(
      fc.property(fc.array(letters, { maxLength: 300 }), (parts) => {
        const body = parts.join("");
        const segments = segmentsOf(body);
        const least = body.length <= 70 ? 1 : Math.ceil(body.length / 160);
        expect(segments).toBeGreaterThanOrEqual(least);
        if (/ç|👍|“|\u0301/u.test(body) && body.length > 70)
          expect(segments).toBeGreaterThanOrEqual(Math.ceil(body.length / 67));
      }),
    );
    expect(SEGMENTS_MAX).toBe(25);
  });

  test("1600 characters may be sent, 1601 not, and an emoji is one of them", () => {
    expect([1600, 1601].map((length) => isTooLong("a".repeat(length)))).toEqual([false, true]);
    expect([1600, 1601].map((length) => isTooLong("👍".repeat(length)))).toEqual([false, true]);
  });
});

describe("what a message can cost at most", () => {
  test.each([
    ["one segment", text("hello"), 10_000, "1 segment"],
    ["two segments", text("a".repeat(161)), 20_000, "2 segments"],
    ["to another country", "To=%2B447911123456&Body=hi", 50_000, "1 segment"],
    ["to any other country", "To=%2B33612345678&Body=hi", 600_000, "1 segment"],
    ["with media", `${text("hello")}&MediaUrl=https%3A%2F%2Fa.example`, 30_000, "1 message with media"],
    [
      "with so many media that links to them in a text cost more",
      `${text("a".repeat(161))}&MediaUrl=a&MediaUrl=b`,
      40_000,
      "1 message with media",
    ],
    ["sent as MMS", `${text("hello")}&SendAsMms=true`, 30_000, "1 message with media"],
    ["not sent as MMS", `${text("hello")}&SendAsMms=False`, 10_000, "1 segment"],
    ["from a template", `${TO}&ContentSid=HX1&ContentVariables=%7B%7D`, 250_000, "25 segments"],
    ["scheduled", `${text("hi")}&ScheduleType=fixed&SendAt=2026-12-01T00%3A00%3A00Z`, 10_000, "1 segment"],
    ["over WhatsApp", "To=whatsapp%3A%2B15555550100&Body=hi", 20_000, "1 whatsapp message"],
    [
      "over WhatsApp, whatever it holds",
      `To=whatsapp%3A%2B447911123456&From=whatsapp%3A%2B15555550199&ContentSid=HX1&MediaUrl=a`,
      300_000,
      "1 whatsapp message",
    ],
    ["with a text that Smart Encoding shortens", `${text("“hi”")}&SmartEncoded=true`, 10_000, "1 segment"],
  ])("%s", (_, body, amount, amountText) => {
    expect(quoteOf(posting(MESSAGES, body))).toMatchObject({
      amount: micros(amount),
      amountText,
      currency: "usd",
      fxRate: null,
    });
  });

  test("names whom it goes to as the request does", () => {
    expect(quoteOf(posting(MESSAGES, text("hi"))).recipients).toEqual(["+15555550100"]);
    expect(quoteOf(posting(MESSAGES, "To=whatsapp%3A%2B15555550100&Body=hi")).recipients).toEqual([
      "whatsapp:+15555550100",
    ]);
  });

  test("all parameters of SDKs that cost nothing are accepted", () => {
    const others =
      "StatusCallback=https%3A%2F%2Fa.example&ApplicationSid=AP1&MaxPrice=1&ProvideFeedback=true&Attempt=1&ValidityPeriod=60&ForceDelivery=true&ContentRetention=retain&AddressRetention=retain&PersistentAction=a&PersistentAction=b&TrafficType=free&RiskCheck=enable&ShortenUrls=false&MessagingServiceSid=MG1";
    expect(quoteOf(posting(MESSAGES, `${TO}&Body=hi&${others}`)).amount).toBe(micros(10_000));
  });

  test("a price that is not set is refused with the name of its setting", () => {
    const british = "To=%2B447911123456&Body=hi&MediaUrl=https%3A%2F%2Fa.example";
    expect(messageOf(quoted(posting(MESSAGES, british)))).toContain("prices.twilio.mms");
    expect(messageOf(quoted(posting(MESSAGES, "To=rcs%3A%2B15555550100&Body=hi")))).toContain(
      "prices.twilio.rcs",
    );
    expect(messageOf(quoted(posting(MESSAGES, "To=messenger%3A123&Body=hi")))).toContain(
      "prices.twilio.messenger",
    );
  });

  test("the defaults are those of the United States and of the dearest country elsewhere", () => {
    const amounts = ["+15555550100", "+18095550100", "+33612345678"].map(
      (to) => quoteOf(posting(MESSAGES, `To=${encodeURIComponent(to)}&Body=hi`), DEFAULT_RATE_CARD).amount,
    );
    expect(amounts).toEqual([micros(14_500), micros(600_000), micros(600_000)]);
  });
});

describe("messages that could go uncounted are refused", () => {
  test.each([
    ["no To", "Body=hi", "amount_unknown"],
    ["two To", `${TO}&To=%2B447911123456&Body=hi`, "ambiguous_request"],
    ["another spelling of To beside it", `${TO}&to=%2B447911123456&Body=hi`, "ambiguous_request"],
    ["capitals", `${TO}&BODY=${"a".repeat(400)}`, "ambiguous_request"],
    ["brackets", `${TO}&Body[]=hi`, "ambiguous_request"],
    ["a number behind a name", `${TO}&MediaUrl0=a`, "ambiguous_request"],
    ["a national number", "To=5555550100&Body=hi", "endpoint_not_priced"],
    ["a + that was not written %2B", "To=+15555550100&Body=hi", "endpoint_not_priced"],
    ["a short code", "To=12345&Body=hi", "endpoint_not_priced"],
    ["a short number behind a country", "To=%2B12345&Body=hi", "endpoint_not_priced"],
    ["another country's prefix behind +1", "To=%2B1011447911123456&Body=hi", "endpoint_not_priced"],
    ["eleven digits behind +1", "To=%2B155555501000&Body=hi", "endpoint_not_priced"],
    ["two numbers", "To=%2B15555550100%2C%2B447911123456&Body=hi", "endpoint_not_priced"],
    ["a number with spaces", "To=%2B1+555+555+0100&Body=hi", "endpoint_not_priced"],
    ["a number with a line behind it", "To=%2B15555550100%0A&Body=hi", "endpoint_not_priced"],
    ["another channel", "To=discord%3A1&Body=hi", "endpoint_not_priced"],
    ["a channel in capitals", "To=WhatsApp%3A%2B15555550100&Body=hi", "endpoint_not_priced"],
    ["a channel of the sender alone", `${TO}&From=whatsapp%3A%2B15555550199&Body=hi`, "endpoint_not_priced"],
    ["a SIM card as the sender", `${TO}&From=sim%3ADE1&Body=hi`, "endpoint_not_priced"],
    [
      "a sender of another channel",
      `To=whatsapp%3A%2B15555550100&From=messenger%3A1&Body=hi`,
      "endpoint_not_priced",
    ],
    ["a text that is too long", text("a".repeat(1601)), "endpoint_not_priced"],
    ["links to be shortened", `${text("hi")}&ShortenUrls=true`, "endpoint_not_priced"],
    ["a second sender", `${text("hi")}&FallbackFrom=%2B15555550188`, "endpoint_not_priced"],
    ["a parameter of a new version", `${text("hi")}&MessageIntent=otp`, "endpoint_not_priced"],
    ["a parameter that is not known", `${text("hi")}&Premium=1`, "endpoint_not_priced"],
    ["a semicolon", `${TO};Body=hi`, "ambiguous_request"],
  ])("%s", (_, body, code) => {
    expect(refusal(posting(MESSAGES, body))).toBe(code);
  });

  test("parameters in the query, other kinds of body, and compression", () => {
    const json = { headers: { "content-type": ["application/json"] } };
    const zipped = { headers: { ...FORM, "content-encoding": ["gzip"] } };
    for (const change of [{ query: { To: ["+15555550100"] } }, json, zipped])
      expect(refusal(posting(MESSAGES, text("hi"), change))).toBe("ambiguous_request");
  });

  test("an unknown parameter is named", () => {
    expect(messageOf(quoted(posting(MESSAGES, `${text("hi")}&Premium=1`)))).toMatch(/^Premium: /);
  });
});

describe("what a message turned out to cost", () => {
  const made = (change: Record<string, unknown>) =>
    answered(201, {
      sid: `SM${HEX}`,
      to: "+15555550100",
      num_segments: "1",
      num_media: "0",
      price: null,
      price_unit: "USD",
      status: "queued",
      ...change,
    });

  test.each([
    ["what was counted here", text("a".repeat(161)), { num_segments: "2" }, 20_000, "2 segments"],
    ["less, where Twilio counts fewer", text("a".repeat(161)), {}, 10_000, "1 segment"],
    [
      "what was quoted, where it has not counted",
      text("a".repeat(161)),
      { num_segments: "0" },
      20_000,
      "2 segments",
    ],
    ["not more than was quoted", text("hi"), { num_segments: "9" }, 10_000, "1 segment"],
    ["the segments of a template", `${TO}&ContentSid=HX1`, { num_segments: "3" }, 30_000, "3 segments"],
    [
      "what was quoted of a template with media",
      `${TO}&ContentSid=HX1`,
      { num_media: "1" },
      250_000,
      "25 segments",
    ],
    [
      "one price for media",
      `${text("hi")}&MediaUrl=a`,
      { sid: `MM${HEX}`, num_media: "1" },
      30_000,
      "1 message with media",
    ],
    ["one price for WhatsApp", "To=whatsapp%3A%2B15555550100&Body=hi", {}, 20_000, "1 whatsapp message"],
    ["as much when it failed, until Twilio says so", text("hi"), { status: "failed" }, 10_000, "1 segment"],
  ])("is an estimate: %s", (_, body, answer, amount, amountText) => {
    expect(readOf(posting(MESSAGES, body), made(answer))).toMatchObject({
      kind: "executed",
      price: micros(amount),
      amountText,
      isEstimate: true,
      objectId: answer["sid" as keyof typeof answer] ?? `SM${HEX}`,
      customerId: null,
      currency: "usd",
      counts: null,
    });
  });

  test.each(["-0.00750", "-2", "0", "1"])(
    "the price %s of a message that has not been sent yet is not believed: it is asked for later",
    (price) => {
      expect(readOf(posting(MESSAGES, text("hi")), made({ price }))).toMatchObject({
        price: micros(10_000),
        isEstimate: true,
      });
    },
  );

  test("a price beside an end is final where it is a charge within what was quoted", () => {
    const ended = (price: string) =>
      readOf(posting(MESSAGES, text("hi")), made({ price, status: "delivered" }));
    expect(ended("-0.00750")).toMatchObject({ price: micros(7_500), isEstimate: false });
    for (const price of ["0", "-2", "0.5"])
      expect(ended(price)).toMatchObject({ price: micros(10_000), isEstimate: true });
    const elsewhere = { price: "-0.0001", status: "delivered", to: "+15555550199" };
    expect(readOf(posting(MESSAGES, text("hi")), made(elsewhere))).toMatchObject({
      price: micros(10_000),
      isEstimate: true,
    });
  });

  test.each<[string, Record<string, unknown>]>([
    ["segments of a message with media", { sid: `MM${HEX}` }],
    ["segments that are a number", { num_segments: 1 }],
    ["segments below zero", { num_segments: "-1" }],
    ["no media told", { num_media: undefined }],
    ["another receiver", { to: "+15555550199" }],
    ["no receiver told", { to: undefined }],
  ])("with %s it costs what was quoted", (_, change) => {
    expect(readOf(posting(MESSAGES, text("a".repeat(161))), made(change))).toMatchObject({
      price: micros(20_000),
      amountText: "2 segments",
    });
  });

  test.each([`CA${HEX}`, `AC${HEX}`, "SM1", 7, null])(
    "an object %s is no message: the quote is final",
    (sid) => {
      expect(readOf(posting(MESSAGES, text("a".repeat(161))), made({ sid }))).toMatchObject({
        price: micros(20_000),
        isEstimate: false,
        objectId: null,
      });
    },
  );

  test("an answer that cannot be read costs what was quoted, finally", () => {
    expect(readOf(posting(MESSAGES, text("hi")), answered(201, "<html>"))).toMatchObject({
      kind: "executed",
      price: micros(10_000),
      isEstimate: false,
      objectId: null,
    });
  });

  test.each([400, 401, 403, 404, 405, 409, 415, 422, 429])("%i means that nothing was sent", (status) => {
    expect(readOf(posting(MESSAGES, text("hi")), answered(status, {}))).toMatchObject({
      kind: "refused",
      price: 0n,
      isEstimate: false,
    });
  });

  test.each([302, 500, 502, 503])("%i does not tell", (status) => {
    expect(readOf(posting(MESSAGES, text("hi")), answered(status, {})).kind).toBe("unknown");
  });

  test("an estimate is never above its quote, and a quote never below its segments", () => {
    const word = fc.constantFrom("a", "ç", "👍", "€", "¼", " ");
    fc.assert(
      fc.property(fc.array(word, { maxLength: 200 }), fc.integer({ min: 0, max: 30 }), (parts, segments) => {
        const request = posting(MESSAGES, text(parts.join("")));
        const { amount } = quoteOf(request);
        expect(amount).toBeGreaterThanOrEqual(BigInt(segmentsOf(parts.join(""))) * 10_000n);
        const reading = readOf(request, made({ num_segments: `${segments}` }));
        expect(reading.price).toBeLessThanOrEqual(amount);
        expect(reading.price).toBeGreaterThan(0n);
      }),
    );
  });
});

const SAY = encodeURIComponent("<Response><Say>Hello</Say></Response>");
const call = (rest: string, twiml = SAY) =>
  `${TO}&From=%2B15555550199&Twiml=${twiml}${rest === "" ? "" : `&${rest}`}`;

describe("what a call can cost at most", () => {
  test.each([
    ["a started minute", call("TimeLimit=1"), 100_000, "1 minute"],
    ["one minute", call("TimeLimit=60"), 100_000, "1 minute"],
    ["two started minutes", call("TimeLimit=61"), 200_000, "2 minutes"],
    ["four hours", call("TimeLimit=14400"), 24_000_000, "240 minutes"],
    ["recorded", call("TimeLimit=120&Record=true"), 210_000, "2 minutes, recorded"],
    ["not recorded", call("TimeLimit=120&Record=false"), 200_000, "2 minutes"],
    [
      "with machine detection",
      call("TimeLimit=60&MachineDetection=Enable&AsyncAmd=true"),
      120_000,
      "1 minute, with machine detection",
    ],
    ["to a client", `To=client%3Aann&TimeLimit=60&Twiml=${SAY}`, 1_000, "1 minute"],
    ["to SIP", `To=sip%3Aann%40pbx.example&TimeLimit=60&Twiml=${SAY}`, 2_000, "1 minute"],
    [
      "with callbacks, of which a method is none",
      call(
        "TimeLimit=60&StatusCallback=https%3A%2F%2Fa.example&StatusCallbackEvent=ringing&StatusCallbackEvent=answered&Method=GET",
      ),
      100_000,
      "1 minute",
    ],
  ])("%s", (_, body, amount, amountText) => {
    expect(quoteOf(posting(CALLS, body))).toMatchObject({
      amount: micros(amount),
      amountText,
      currency: "usd",
    });
  });

  test.each([
    ["no TimeLimit", call(""), "amount_unknown"],
    ["no seconds", call("TimeLimit=0"), "amount_unknown"],
    ["more than four hours", call("TimeLimit=14401"), "amount_unknown"],
    ["half a second", call("TimeLimit=1.5"), "amount_unknown"],
    ["an exponent", call("TimeLimit=1e3"), "amount_unknown"],
    ["a leading zero", call("TimeLimit=060"), "amount_unknown"],
    ["two limits", call("TimeLimit=60&TimeLimit=600"), "ambiguous_request"],
    ["no instructions", `${TO}&TimeLimit=60`, "amount_unknown"],
    ["a premium number", `To=%2B19005550100&TimeLimit=60&Twiml=${SAY}`, "endpoint_not_priced"],
    ["a national number", `To=5555550100&TimeLimit=60&Twiml=${SAY}`, "endpoint_not_priced"],
    [
      "SIP that leads back",
      `To=sip%3A%2B33612345678%40x.pstn.twilio.com&TimeLimit=60&Twiml=${SAY}`,
      "endpoint_not_priced",
    ],
    ["a carrier of one's own", call("TimeLimit=60&Byoc=BY1"), "endpoint_not_priced"],
    ["a branded call", call("TimeLimit=60&CallReason=a"), "endpoint_not_priced"],
    [
      "a configuration for recordings",
      call("TimeLimit=60&RecordingConfigurationId=a"),
      "endpoint_not_priced",
    ],
    ["an address", `${TO}&TimeLimit=60&Url=https%3A%2F%2Fa.example`, "endpoint_not_priced"],
    [
      "an address beside Twiml, which it overrides",
      call("TimeLimit=60&Url=https%3A%2F%2Fa.example"),
      "endpoint_not_priced",
    ],
    [
      "an address for failures",
      call("TimeLimit=60&FallbackUrl=https%3A%2F%2Fa.example"),
      "endpoint_not_priced",
    ],
    ["an application", `${TO}&TimeLimit=60&ApplicationSid=AP1`, "endpoint_not_priced"],
  ])("is not known: %s", (_, body, code) => {
    expect(refusal(posting(CALLS, body))).toBe(code);
  });

  test("a missing TimeLimit is answered with what to add", () => {
    expect(messageOf(quoted(posting(CALLS, call(""))))).toContain("TimeLimit=300");
  });

  test("instructions from elsewhere name their setting and the way without it", () => {
    const message = messageOf(quoted(posting(CALLS, `${TO}&TimeLimit=60&Url=https%3A%2F%2Fa.example`)));
    expect(message).toContain("prices.twilio.call_instructions");
    expect(message).toContain("Twiml");
  });

  test("they come on top once they have a price", () => {
    const rateCard = rateCardWith({
      prices: { twilio: { call_minute: { "+1": "0.1" }, call_instructions: "2" } },
    });
    expect(quoteOf(posting(CALLS, `${TO}&TimeLimit=60&Url=a`), rateCard)).toMatchObject({
      amount: micros(2_100_000),
      amountText: "1 minute, instructed from elsewhere",
      isFinal: true,
    });
  });

  test("a call is an estimate until Twilio tells its price", () => {
    const answer = answered(201, { sid: `CA${HEX}`, price: null, price_unit: "USD", status: "queued" });
    expect(readOf(posting(CALLS, call("TimeLimit=120")), answer)).toMatchObject({
      kind: "executed",
      price: micros(200_000),
      isEstimate: true,
      objectId: `CA${HEX}`,
    });
  });

  test("what comes on top of the minutes is never told, so then the quote is final", () => {
    const answer = answered(201, { sid: `CA${HEX}`, price: null, status: "queued" });
    expect(readOf(posting(CALLS, call("TimeLimit=120&Record=true")), answer)).toMatchObject({
      price: micros(210_000),
      isEstimate: false,
    });
  });
});

describe("instructions that a call may have", () => {
  const isAccepted = (twiml: string) =>
    refusal(posting(CALLS, call("TimeLimit=60", encodeURIComponent(twiml)))) === null;

  test.each([
    "<Response/>".replace("/>", "></Response>"),
    '<?xml version="1.0" encoding="UTF-8"?><Response><Say>Hello</Say></Response>',
    "<?xml version='1.0'?>\n<Response>\n  <Say voice='woman' language='en-GB' loop='2'>Hi</Say>\n  <Pause length=\"5\"/>\n</Response>\n",
    '<Response><Play loop="0">https://a.example/?a=1&amp;b=2</Play><Hangup/></Response>',
    "<Response><Say>5 &lt; 6 &#8364; “quoted” &apos;</Say><Reject reason='busy' /></Response>",
    '<Response><Play digits="wwww1928"></Play><Pause></Pause></Response>',
  ])("%s", (twiml) => {
    expect(isAccepted(twiml)).toBe(true);
  });

  test.each([
    "",
    "<Response><Dial>+33612345678</Dial></Response>",
    "<Response><Say>a</Say><Dial><Number>+33612345678</Number></Dial></Response>",
    "<Response><Say><Dial>+33612345678</Dial></Say></Response>",
    "<Response><Redirect>https://a.example</Redirect></Response>",
    "<Response><Gather action='https://a.example'/></Response>",
    "<Response><Gather/></Response>",
    "<Response><Record/></Response>",
    "<Response><Refer><Sip>sip:a@b</Sip></Refer></Response>",
    "<Response><Sms to='+33612345678'>a</Sms></Response>",
    "<Response><Message>a</Message></Response>",
    "<Response><Pay/></Response>",
    "<Response><Connect><Stream url='wss://a'/></Connect></Response>",
    "<Response><Start><Stream url='wss://a'/></Start></Response>",
    "<Response><Enqueue>a</Enqueue></Response>",
    "<Response><Leave/></Response>",
    "<Response><say>a</say></Response>",
    "<Response><Say voice='Polly.Joanna'>a</Say></Response>",
    "<Response><Say voice='Polly.Joanna' voice='man'>a</Say></Response>",
    "<Response><Say voice='man' voice='woman'>a</Say></Response>",
    "<Response><Say constructor='a'>a</Say></Response>",
    "<Response><constructor>a</constructor></Response>",
    "<Response><Say>a</Play></Response>",
    "<Response><Say>a</Say></Response><Response><Dial>1</Dial></Response>",
    "<Response><!-- a --><Say>a</Say></Response>",
    "<Response><Say><![CDATA[a]]></Say></Response>",
    "<!DOCTYPE Response [<!ENTITY a '<Dial>1</Dial>'>]><Response><Say>&a;</Say></Response>",
    "<Response><Say>&a;</Say></Response>",
    "<Response><Say>a & b</Say></Response>",
    "<Response><?php a ?></Response>",
    "<Response>a</Response>",
    "<Response action='https://a.example'><Say>a</Say></Response>",
    "<Response><Pause><Dial>1</Dial></Pause></Response>",
    "<Response><Hangup>a</Hangup></Response>",
    `<Response><Say>${"a".repeat(4_000)}</Say></Response>`,
    '<?xml version="1.0" encoding="UTF-7"?><Response><Say>a</Say></Response>',
  ])("but not %s", (twiml) => {
    expect(isAccepted(twiml)).toBe(false);
  });

  test("whatever is put between verbs that cost nothing, a <Dial> is seen", () => {
    const part = fc.constantFrom(
      "<Say>a</Say>",
      "<Pause/>",
      " ",
      "<!--",
      "-->",
      "<![CDATA[",
      "]]>",
      "'",
      '"',
      ">",
      "<",
    );
    fc.assert(
      fc.property(fc.array(part, { maxLength: 6 }), fc.array(part, { maxLength: 6 }), (before, after) => {
        const twiml = `<Response>${before.join("")}<Dial>1</Dial>${after.join("")}</Response>`;
        expect(isAccepted(twiml)).toBe(false);
      }),
    );
  });
});

describe("what verifications and lookups cost", () => {
  test.each([
    ["sms", `${TO}&Channel=sms`, 70_000],
    ["whatsapp", `${TO}&Channel=whatsapp`, 70_000],
    ["call, with its minute", `${TO}&Channel=call`, 170_000],
    ["email", "To=ann%40example.com&Channel=email", 60_000],
    ["an e-mail address that begins like a number", "To=%2B1a%40example.com&Channel=email", 60_000],
    ["sna", `${TO}&Channel=sna`, 700_000],
    ["another country", "To=%2B33612345678&Channel=sms&Locale=fr", 700_000],
  ])("a verification by %s", (_, body, amount) => {
    expect(quoteOf(posting(VERIFICATIONS, body)).amount).toBe(micros(amount));
  });

  test("its price is final, since no answer tells it", () => {
    const answer = answered(201, { sid: `VE${HEX}`, status: "pending" });
    expect(readOf(posting(VERIFICATIONS, `${TO}&Channel=sms`), answer)).toMatchObject({
      kind: "executed",
      price: micros(70_000),
      isEstimate: false,
      objectId: `VE${HEX}`,
    });
  });

  test.each([
    ["no To", "Channel=sms", "amount_unknown"],
    ["no channel", TO, "endpoint_not_priced"],
    ["a channel that chooses", `${TO}&Channel=auto`, "endpoint_not_priced"],
    ["a channel that is not known", `${TO}&Channel=constructor`, "endpoint_not_priced"],
    ["a number by e-mail", `${TO}&Channel=email`, "endpoint_not_priced"],
    ["two e-mail addresses", "To=a%40b.example%2Cc%40d.example&Channel=email", "endpoint_not_priced"],
    ["a message of any length", `${TO}&Channel=sms&CustomMessage=${"a".repeat(500)}`, "endpoint_not_priced"],
    ["keys that are pressed after a call", `${TO}&Channel=call&SendDigits=WWWW`, "endpoint_not_priced"],
  ])("a verification is refused with %s", (_, body, code) => {
    expect(refusal(posting(VERIFICATIONS, body))).toBe(code);
  });

  test.each<[string, string, VendorRequest["query"], number]>([
    ["nothing is free", LOOKUP, {}, 0],
    ["validity is free", LOOKUP, { Fields: ["validation"], CountryCode: ["US"] }, 0],
    ["a field", LOOKUP, { Fields: ["line_type_intelligence"] }, 20_000],
    ["two fields in one", LOOKUP, { Fields: ["line_type_intelligence, caller_name"] }, 35_000],
    ["two fields apart", LOOKUP, { Fields: ["line_type_intelligence", "caller_name,validation"] }, 35_000],
    ["a field twice", LOOKUP, { Fields: ["sim_swap", "sim_swap"] }, 600_000],
    ["an identity", LOOKUP, { Fields: ["identity_match"], FirstName: ["Ann"] }, 300_000],
    ["nothing of version 1 is free", LOOKUP_V1, {}, 0],
    ["a carrier", LOOKUP_V1, { Type: ["carrier"] }, 20_000],
    ["a carrier and a name", LOOKUP_V1, { Type: ["carrier", "caller-name"] }, 35_000],
  ])("a lookup of %s", (_, path, query, amount) => {
    const quote = quoteOf(getting(path, query));
    expect(quote).toMatchObject({ amount: micros(amount), recipients: [] });
    expect(ruleOf(getting(path))).toMatchObject({ kind: "priced", idempotency: null });
  });

  test.each<[string, string, VendorRequest["query"], string]>([
    ["a field that is not known", LOOKUP, { Fields: ["everything"] }, "endpoint_not_priced"],
    ["an empty field", LOOKUP, { Fields: [""] }, "endpoint_not_priced"],
    ["fields in small letters", LOOKUP, { fields: ["caller_name"] }, "ambiguous_request"],
    ["fields with brackets", LOOKUP, { "Fields[]": ["caller_name"] }, "ambiguous_request"],
    ["what has no price", LOOKUP, { Fields: ["pre_fill"] }, "endpoint_not_priced"],
    ["a type that is not known", LOOKUP_V1, { Type: ["all"] }, "endpoint_not_priced"],
    ["fields in version 1", LOOKUP_V1, { Fields: ["caller_name"] }, "ambiguous_request"],
    ["add-ons", LOOKUP_V1, { AddOns: ["a"] }, "endpoint_not_priced"],
    ["add-ons in version 2", LOOKUP, { AddOns: ["a"] }, "endpoint_not_priced"],
  ])("a lookup is refused with %s", (_, path, query, code) => {
    expect(refusal(getting(path, query))).toBe(code);
  });
});

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
