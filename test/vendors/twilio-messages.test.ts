import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { isTooLong, SEGMENTS_MAX, segmentsOf } from "../../lambda/vendors/twilio/segments.ts";
import { DEFAULT_RATE_CARD } from "../support/rate-card.ts";
import {
  answered,
  FORM,
  HEX,
  MESSAGES,
  messageOf,
  micros,
  posting,
  quoted,
  quoteOf,
  readOf,
  refusal,
  TO,
  text,
} from "./twilio-harness.ts";

/** Guarantees that a message costs at most what was reserved, and that one whose cost cannot be bounded is refused. */

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
