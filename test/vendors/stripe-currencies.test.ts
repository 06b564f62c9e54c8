import { describe, expect, test } from "vitest";
import { DEFAULT_RATE_CARD, rateCardWith } from "../support/rate-card.ts";
import {
  answer,
  costOf,
  counted,
  countedAs,
  entryOf,
  limitCode,
  limited,
  micros,
  ok,
  quote,
  read,
  refusal,
} from "./stripe-harness.ts";

/** Guarantees that an amount in any currency is taken for at least what it is worth, or refused. */

const CREATE = "/v1/payment_intents";

/** Every currency at 1 USD for one unit. */
const atPar = (currency: string) => ({
  rateCard: rateCardWith({ rates: { [currency]: 1 }, rateMarginPercent: 0 }),
});
const par = (currency: string) => costOf(CREATE, `amount=5&currency=${currency}`, atPar(currency));

describe("the smallest unit", () => {
  test.each("bif clp djf gnf jpy kmf krw mga pyg rwf ugx vnd vuv xaf xof xpf".split(" "))(
    "of %s is the whole one",
    (currency) => {
      expect(par(currency)).toBe(5_000_000n);
    },
  );

  test.each("bhd jod kwd omr tnd".split(" "))("of %s is a thousandth", (currency) => {
    expect(par(currency)).toBe(5_000n);
  });

  test.each("eur gbp aud isk huf twd inr mxn".split(" "))("of %s is a hundredth", (currency) => {
    expect(par(currency)).toBe(50_000n);
  });

  test("of a dollar is a cent, and needs no rate", () => {
    expect(costOf(CREATE, "amount=5&currency=usd", { rateCard: DEFAULT_RATE_CARD })).toBe(50_000n);
  });
});

describe("a rate", () => {
  test.each([
    // 1.10 dollars and three per cent: 1.133 for a euro.
    ["amount=1&currency=eur", 11_330n, 1.133],
    ["amount=2999&currency=EUR", 33_978_670n, 1.133],
    // 0.0064 dollars and three per cent: 0.006592 for a yen.
    ["amount=1&currency=jpy", 6_592n, 0.006592],
    ["amount=2999&currency=jpy", 19_769_408n, 0.006592],
    // 3.25 dollars and three per cent: 3.3475 for a dinar, so 3,347.5 millionths for its smallest unit.
    ["amount=1&currency=kwd", 3_348n, 3.3475],
    ["amount=2&currency=kwd", 6_695n, 3.3475],
    ["amount=3&currency=kwd", 10_043n, 3.3475],
    ["amount=0&currency=kwd", 0n, 3.3475],
  ])("prices %s with its margin, rounded up", (body, amount, fxRate) => {
    expect(ok(quote(CREATE, body))).toMatchObject({ amount, fxRate });
  });

  test("is rounded up to the last place too", () => {
    // A third of a millionth for a whole unit is a millionth, and so are three of them.
    const rateCard = rateCardWith({ rates: { vnd: "0.0000003333" }, rateMarginPercent: 0 });
    expect(costOf(CREATE, "amount=1&currency=vnd", { rateCard })).toBe(1n);
    expect(costOf(CREATE, "amount=3&currency=vnd", { rateCard })).toBe(1n);
    expect(costOf(CREATE, "amount=4&currency=vnd", { rateCard })).toBe(2n);
  });

  test("is said in the quote as the currency is, in small letters", () => {
    expect(quote(CREATE, "amount=5&currency=Eur")).toMatchObject({ currency: "eur", amountText: "5" });
  });
});

describe("a currency without a rate", () => {
  test.each([
    "amount=5",
    "amount=5&currency=gbp",
    "amount=5&currency=",
    "amount=5&currency=usd+",
    "amount=5&currency=+usd",
    "amount=5&currency=us",
    "amount=5&currency=usdc",
    "amount=5&currency=u%C5%9Fd",
    "amount=5&currency=%EF%BD%95sd",
    "amount=5&currency=%E2%82%AC",
    "amount=5&currency[]=usd",
    "amount=5&currency[0]=usd",
    "amount=5&currency[code]=usd",
    "amount=5&currency=__proto__",
  ])("is refused: %s", (body) => {
    expect(costOf(CREATE, body)).toBe("currency_unknown");
  });

  test("is refused even for nothing", () => {
    expect(costOf(CREATE, "amount=0&currency=gbp")).toBe("currency_unknown");
  });

  test("is answered with those that have one", () => {
    expect(refusal(CREATE, "amount=5&currency=gbp")).toBe(
      'currency: got "gbp"; expected one of usd, eur, jpy, kwd; no rate is configured for others',
    );
    expect(refusal(CREATE, "amount=5")).toMatch(
      /^currency: got nothing; expected one of usd, eur, jpy, kwd;/,
    );
  });
});

describe("what was counted in another currency", () => {
  const inEuro = {
    object: countedAs(entryOf(micros(5_665_000))),
    found: { id: "pi_1", amount: 500, currency: "eur" },
  };

  test("is confirmed, captured and raised at what it is worth", () => {
    expect(costOf(`${CREATE}/pi_1/confirm`, "", inEuro)).toBe(0n);
    expect(costOf(`${CREATE}/pi_1/capture`, "", inEuro)).toBe(0n);
    // 600 euro cents are 6,798,000 millionths.
    expect(costOf(`${CREATE}/pi_1`, "amount=600", inEuro)).toBe(1_133_000n);
    expect(ok(quote(`${CREATE}/pi_1`, "amount=600", inEuro))).toMatchObject({
      currency: "eur",
      fxRate: 1.133,
    });
  });

  test("is settled in it", () => {
    const given = answer(200, { id: "pi_1", object: "payment_intent", amount: 600, currency: "eur" });
    expect(read(`${CREATE}/pi_1`, given, inEuro, { amountText: "600", currency: "eur" })).toMatchObject({
      price: 1_133_000n,
      amountText: "600",
      currency: "eur",
      fxRate: 1.133,
      counts: { objectId: "pi_1", units: 600n, currency: "eur", total: 6_798_000n },
    });
  });

  test("costs the difference once its rate has risen", () => {
    const rateCard = rateCardWith({ rates: { eur: "1.2" }, rateMarginPercent: 3 });
    // 500 euro cents at 1.236 are 6,180,000 millionths.
    expect(costOf(`${CREATE}/pi_1/confirm`, "", { ...inEuro, rateCard })).toBe(515_000n);
  });

  test("is refused once its rate is gone", () => {
    expect(costOf(`${CREATE}/pi_1/confirm`, "", { ...inEuro, rateCard: DEFAULT_RATE_CARD })).toBe(
      "currency_unknown",
    );
  });

  test("costs what was quoted where the answer is in a currency without a rate", () => {
    const given = answer(200, { id: "pi_1", amount: 600, currency: "gbp" });
    expect(read(CREATE, given)).toMatchObject({ price: 5_000_000n, currency: "gbp", counts: null });
    expect(read(`${CREATE}/pi_1`, given, inEuro)).toMatchObject({
      price: 5_000_000n,
      counts: null,
    });
  });
});

describe("the currencies that a key allows", () => {
  test("hold for what moves money, in the currency that it moves", () => {
    const inYen = limited({ currencies: ["jpy"] });
    expect(limitCode(CREATE, "amount=5&currency=JPY", inYen)).toBeNull();
    expect(limitCode(CREATE, "amount=5&currency=usd", inYen)).toBe("currency_not_allowed");
    expect(limitCode(CREATE, "amount=0&currency=usd", inYen)).toBe("currency_not_allowed");
    expect(limitCode(CREATE, "amount=5&currency=gbp", inYen)).toBe("currency_unknown");
    expect(limitCode(`${CREATE}/pi_1/confirm`, "", inYen, { found: { amount: 5, currency: "usd" } })).toBe(
      "currency_not_allowed",
    );
    expect(limitCode(`${CREATE}/pi_1/cancel`, "", inYen, { object: counted(5) })).toBeNull();
  });
});
