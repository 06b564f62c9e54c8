import { describe, expect, test } from "vitest";
import { atRate, priceOf } from "../lambda/domain/rate-card.ts";
import { DEFAULT_RATE_CARD, rateCardWith } from "./support/rate-card.ts";

/** Guarantees that configured money is read exactly, and that nothing is cheaper than it was said to be. */

describe("rates", () => {
  test("carry the margin, and are exact to twelve places", () => {
    const { rates } = rateCardWith({ rates: { eur: 1.1, jpy: "0.0066667" }, rateMarginPercent: 3 });

    expect(rates["eur"]).toEqual({ picoUsd: 1_133_000_000_000n, usd: 1.133 });
    expect(rates["jpy"]).toEqual({ picoUsd: 6_866_701_000n, usd: 0.006866701 });
    expect(rateCardWith({ rates: { eur: "1" }, rateMarginPercent: 0 }).rates["eur"]?.picoUsd).toBe(
      10n ** 12n,
    );
  });

  test("turn smallest units into micro-dollars, rounded up", () => {
    const rate = { picoUsd: 6_866_701_000n, usd: 0.006866701 };

    expect(atRate(1n, 0, rate)).toBe(6_867n);
    expect(atRate(1_000n, 0, rate)).toBe(6_866_701n);
    expect(atRate(1n, 2, rate)).toBe(69n);
    expect(atRate(0n, 2, rate)).toBe(0n);
    expect(atRate(10n, 3, { picoUsd: 3_250_000_000_000n, usd: 3.25 })).toBe(32_500n);
  });
});

describe("prices", () => {
  test("are by the longest prefix, and by default where none fits", () => {
    const { prices } = DEFAULT_RATE_CARD;

    expect(priceOf(prices, "twilio", "sms", "+15551234567")).toBe(14_500n);
    expect(priceOf(prices, "twilio", "sms", "+18765551234")).toBe(600_000n);
    expect(priceOf(prices, "twilio", "sms", "+447700900000")).toBe(600_000n);
    expect(priceOf(prices, "twilio", "call_minute", "+8701234567")).toBeNull();
    expect(priceOf(prices, "resend", "recipient", "")).toBe(900n);
  });

  test("are null for what has no price at all", () => {
    expect(priceOf(DEFAULT_RATE_CARD.prices, "twilio", "fax", "+1")).toBeNull();
    expect(priceOf(DEFAULT_RATE_CARD.prices, "stripe", "sms", "+1")).toBeNull();
  });

  test("of the configuration lie over the defaults by destination, and one alone holds wherever there is one", () => {
    const { prices } = rateCardWith({
      prices: {
        twilio: { sms: { "+1": "0.01", "+44": 0.05 }, whatsapp: 0.1, mms: { "+1": null }, call_minute: 0.02 },
      },
    });

    expect(priceOf(prices, "twilio", "call_minute", "+447700900000")).toBe(20_000n);
    expect(priceOf(prices, "twilio", "call_minute", "+8701234567")).toBeNull();
    expect(priceOf(prices, "twilio", "sms", "+15551234567")).toBe(10_000n);
    expect(priceOf(prices, "twilio", "sms", "+18765551234")).toBe(600_000n);
    expect(priceOf(prices, "twilio", "sms", "+447700900000")).toBe(50_000n);
    expect(priceOf(prices, "twilio", "whatsapp", "+1")).toBe(100_000n);
    expect(priceOf(prices, "twilio", "mms", "+15551234567")).toBeNull();
  });

  test.each([0.00000001, "0.00000001", "-1", "1e3", Number.NaN])(
    "%s is refused: a price that is cut off is too low",
    (price) => {
      expect(() => rateCardWith({ prices: { resend: { recipient: price } } })).toThrow();
    },
  );

  test("may have the noise of a float", () => {
    const { prices } = rateCardWith({ prices: { resend: { recipient: 0.1 + 0.2 } } });
    expect(priceOf(prices, "resend", "recipient", "")).toBe(300_000n);
  });
});
