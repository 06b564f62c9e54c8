import { describe, expect, test } from "vitest";
import type { CountedObject } from "../../lambda/domain/counted-object.ts";
import { DEFAULT_RATE_CARD } from "../support/rate-card.ts";
import {
  answer,
  cents,
  costOf,
  counted,
  countedAs,
  entryOf,
  limitCode,
  limited,
  lookupOf,
  micros,
  ok,
  pricedOf,
  quote,
  read,
  requestOf,
} from "./stripe-harness.ts";

/** Guarantees that a PaymentIntent never moves more than was reserved for it, whoever made it and however often it is changed. */

const CREATE = "/v1/payment_intents";
const UPDATE = "/v1/payment_intents/pi_1";
const CONFIRM = "/v1/payment_intents/pi_1/confirm";
const CAPTURE = "/v1/payment_intents/pi_1/capture";
const INCREMENT = "/v1/payment_intents/pi_1/increment_authorization";
const CANCEL = "/v1/payment_intents/pi_1/cancel";

const intent = (change: object = {}) => ({
  id: "pi_1",
  object: "payment_intent",
  amount: 500,
  amount_received: 0,
  currency: "usd",
  status: "requires_confirmation",
  customer: "cus_1",
  ...change,
});

describe("a new PaymentIntent", () => {
  test("costs its amount, confirmed or not", () => {
    expect(costOf(CREATE, "amount=2999&currency=usd")).toBe(cents(2999));
    expect(costOf(CREATE, "amount=2999&currency=USD&confirm=true")).toBe(cents(2999));
  });

  test("is quoted as the request says it, for the customer that the request names", () => {
    expect(quote(CREATE, "amount=2999&currency=USD&customer=cus_1")).toEqual({
      amount: cents(2999),
      amountText: "2999",
      currency: "usd",
      fxRate: null,
      recipients: ["cus_1"],
      explanation: null,
    });
    const ofAccount = "amount=1&currency=usd&customer_account=acct_1";
    expect(ok(quote(CREATE, ofAccount, { limits: limited({ accounts: ["acct_1"] }) })).recipients).toEqual([
      "acct_1",
    ]);
    expect(costOf(CREATE, ofAccount)).toBe("account_not_allowed");
    expect(ok(quote(CREATE, "amount=1&currency=usd")).recipients).toBeNull();
  });

  test("asks nobody and is no counted object", () => {
    expect(lookupOf(CREATE, "amount=1&currency=usd", true)).toBeNull();
    expect(pricedOf(CREATE).objectOf?.(requestOf("POST", CREATE, "amount=1&currency=usd"))).toBeNull();
  });

  test("without an amount or a currency has no price", () => {
    expect(costOf(CREATE, "currency=usd")).toBe("amount_unknown");
    expect(costOf(CREATE, "amount=5")).toBe("currency_unknown");
  });

  test("is read as executed, and counted from then on", () => {
    expect(read(CREATE, answer(200, intent()))).toEqual({
      kind: "executed",
      price: cents(500),
      isEstimate: false,
      replayed: false,
      objectId: "pi_1",
      customerId: "cus_1",
      amountText: "500",
      currency: "usd",
      fxRate: null,
      counts: { objectId: "pi_1", units: 500n, currency: "usd", total: cents(500) },
      uncountsObject: false,
    });
  });

  test("names its customer, expanded or not", () => {
    expect(read(CREATE, answer(200, intent({ customer: { id: "cus_2" } }))).customerId).toBe("cus_2");
    expect(read(CREATE, answer(200, intent({ customer: null }))).customerId).toBeNull();
  });

  test("whose answer cannot be read costs what was quoted", () => {
    for (const given of ["<html>", "[]", "null", '"pi_1"', "{}"])
      expect(read(CREATE, answer(200, given)), given).toMatchObject({
        kind: "executed",
        price: cents(500),
        objectId: null,
        counts: null,
      });
    for (const amount of [-5, 5.5, "500", null, 1e300])
      expect(read(CREATE, answer(200, intent({ amount }))), `${amount}`).toMatchObject({
        price: cents(500),
        counts: null,
      });
  });

  test("that was declined is remembered with nothing counted, since it can be confirmed later", () => {
    const declined = answer(402, { error: { code: "card_declined", payment_intent: intent() } });
    expect(read(CREATE, declined)).toMatchObject({
      kind: "declined",
      price: 0n,
      objectId: "pi_1",
      counts: { objectId: "pi_1", units: 500n, currency: "usd", total: cents(500) },
    });
    expect(read(CREATE, answer(402, { error: { code: "card_declined" } }))).toMatchObject({
      kind: "declined",
      price: 0n,
      counts: null,
    });
  });
});

describe("a PaymentIntent that is counted", () => {
  test.each<[string, string, string, CountedObject, bigint]>([
    ["is confirmed for nothing", CONFIRM, "", counted(500), 0n],
    ["is confirmed for its amount when its creation was declined", CONFIRM, "", counted(0, 500), cents(500)],
    ["costs what amount_to_confirm goes beyond", CONFIRM, "amount_to_confirm=700", counted(500), cents(200)],
    ["is captured for nothing", CAPTURE, "", counted(500), 0n],
    ["is captured in part for nothing", CAPTURE, "amount_to_capture=100", counted(500), 0n],
    ["costs what is captured beyond", CAPTURE, "amount_to_capture=600", counted(500), cents(100)],
    ["costs the difference when it is raised", UPDATE, "amount=800", counted(500), cents(300)],
    ["is lowered for nothing", UPDATE, "amount=100", counted(500), 0n],
    ["is described anew for nothing", UPDATE, "description=x", counted(500), 0n],
    ["is incremented to a new total", INCREMENT, "amount=800", counted(500), cents(300)],
    ["is cancelled for nothing", CANCEL, "", counted(500), 0n],
    [
      "costs what goes beyond all that was drawn for it",
      UPDATE,
      "amount=900",
      countedAs(entryOf(cents(500)), entryOf(cents(300), cents(800))),
      cents(100),
    ],
    [
      "costs what goes beyond all that was counted for it, drawn or not",
      CAPTURE,
      "amount_to_capture=900",
      countedAs(entryOf(cents(500), cents(800), cents(300))),
      cents(100),
    ],
  ])("%s", (_, path, body, object, cost) => {
    expect(costOf(path, body, { object, found: intent() })).toBe(cost);
  });

  test.each([
    ["is confirmed", CONFIRM, "", cents(499_500)],
    ["is confirmed for less", CONFIRM, "amount_to_confirm=100", cents(499_500)],
    ["is captured", CAPTURE, "", cents(499_500)],
    ["is captured in part", CAPTURE, "amount_to_capture=100", cents(499_500)],
  ])("costs all that others have raised it by when it %s", (_, path, body, cost) => {
    expect(costOf(path, body, { object: counted(500), found: intent({ amount: 500_000 }) })).toBe(cost);
  });

  test("has no price unless it was looked up, whatever is counted", () => {
    for (const [path, body] of [
      [CONFIRM, ""],
      [CONFIRM, "amount_to_confirm=5"],
      [CAPTURE, ""],
      [CAPTURE, "amount_to_capture=5"],
      [INCREMENT, "amount=5"],
      [UPDATE, "amount=5"],
      [UPDATE, "amount=5&currency=usd"],
    ] as const)
      expect(costOf(path, body, { object: counted(500) }), `${path} ${body}`).toBe("amount_unknown");
  });

  test("costs nothing once it was cancelled, whatever is asked of it", () => {
    const object = { ...counted(0, 500), cancelled: true };
    for (const [path, body] of [
      [UPDATE, "amount=900"],
      [CONFIRM, ""],
      [CAPTURE, ""],
      [INCREMENT, "amount=900"],
      [CANCEL, ""],
    ] as const)
      expect(costOf(path, body, { object, found: intent({ status: "canceled" }) }), path).toBe(0n);
  });

  test("needs an amount to be incremented", () => {
    expect(costOf(INCREMENT, "", { object: counted(500), found: intent() })).toBe("amount_unknown");
  });

  test("keeps its currency: another one would make another amount of whatever number it has by then", () => {
    const inDollars = { object: counted(500), found: intent() };
    expect(costOf(UPDATE, "currency=eur", inDollars)).toBe("currency_unknown");
    expect(costOf(UPDATE, "amount=100&currency=eur", inDollars)).toBe("currency_unknown");
    expect(costOf(UPDATE, "currency=jpy", { found: intent() })).toBe("currency_unknown");
    expect(costOf(UPDATE, "currency=USD", inDollars)).toBe(0n);
    expect(costOf(UPDATE, "amount=600&currency=usd", inDollars)).toBe(cents(100));
  });
});

describe("a PaymentIntent that somebody else made", () => {
  test.each([
    ["is raised for all that it will be about", UPDATE, "amount=800", cents(800)],
    ["is lowered for what it will be about", UPDATE, "amount=100", cents(100)],
    ["is described anew for nothing", UPDATE, "description=x", 0n],
    ["is confirmed for its amount", CONFIRM, "", cents(500)],
    ["is confirmed for amount_to_confirm where that is more", CONFIRM, "amount_to_confirm=700", cents(700)],
    ["is confirmed for no less than its amount", CONFIRM, "amount_to_confirm=200", cents(500)],
    ["is captured for its amount", CAPTURE, "", cents(500)],
    ["is captured for no less than its amount", CAPTURE, "amount_to_capture=100", cents(500)],
    ["is captured for what goes beyond its amount", CAPTURE, "amount_to_capture=600", cents(600)],
    ["is incremented for its new total", INCREMENT, "amount=800", cents(800)],
    ["is cancelled for nothing", CANCEL, "", 0n],
  ])("%s", (_, path, body, cost) => {
    expect(costOf(path, body, { found: intent() })).toBe(cost);
  });

  test("costs what was captured before too", () => {
    const found = intent({ amount_received: 300 });
    expect(costOf(CAPTURE, "amount_to_capture=400", { found })).toBe(cents(700));
    expect(costOf(CAPTURE, "amount_to_capture=100", { found })).toBe(cents(500));
  });

  test.each(["succeeded", "canceled"])("takes nothing more once it has %s", (status) => {
    const found = intent({ amount_received: 300, status });
    const quoted = ok(quote(CAPTURE, "amount_to_capture=300", { found }));
    expect(quoted).toMatchObject({ amount: cents(500), isOver: true });
    expect(costOf(CAPTURE, "amount_to_capture=300", { found, object: counted(500) })).toBe(0n);
    const more = intent({ amount_received: 700, status });
    expect(costOf(CAPTURE, "amount_to_capture=700", { found: more, object: counted(500) })).toBe(cents(200));
  });

  test("is quoted in its currency, for its customer", () => {
    expect(quote(CONFIRM, "", { found: intent({ currency: "EUR" }) })).toEqual({
      // 500 euro cents with the margin.
      amount: 5_665_000n,
      amountText: null,
      currency: "eur",
      fxRate: 1.133,
      recipients: ["cus_1"],
      explanation: null,
    });
    expect(ok(quote(CONFIRM, "", { found: intent({ customer: { id: "cus_2" } }) })).recipients).toEqual([
      "cus_2",
    ]);
  });

  test("has no price where what was found does not tell", () => {
    for (const found of [null, {}, { amount: 5 }, { currency: "usd" }, { amount: -5, currency: "usd" }])
      for (const [path, body] of [
        [CONFIRM, ""],
        [CAPTURE, ""],
        [INCREMENT, "amount=1"],
        [UPDATE, "amount=1"],
      ] as const)
        expect(costOf(path, body, { found }), `${path} ${JSON.stringify(found)}`).toBe("amount_unknown");
  });

  test("in a currency without a rate is refused", () => {
    expect(costOf(CONFIRM, "", { found: intent({ currency: "gbp" }) })).toBe("currency_unknown");
    expect(costOf(CONFIRM, "", { found: intent({ currency: "eur" }), rateCard: DEFAULT_RATE_CARD })).toBe(
      "currency_unknown",
    );
  });
});

describe("what is asked before a PaymentIntent is priced", () => {
  const ACTIONS = [
    [UPDATE, "amount=1"],
    [CONFIRM, ""],
    [CAPTURE, ""],
    [INCREMENT, "amount=1"],
  ] as const;

  test.each<readonly [string, string]>([
    ...ACTIONS,
    [UPDATE, "currency=usd"],
    [UPDATE, "amount=1&currency=usd"],
    [CONFIRM, "amount_to_confirm=1"],
    [CAPTURE, "amount_to_capture=1"],
  ])("%s with %j asks, whatever is counted: others may have changed it", (path, body) => {
    expect(lookupOf(path, body)).toBe("/v1/payment_intents/pi_1");
    expect(pricedOf(path).objectOf?.(requestOf("POST", path, body))).toBe("pi_1");
  });

  test.each([
    [UPDATE, "description=x"],
    [CANCEL, ""],
  ])("%s with %j asks only whom it is about, where the key limits that", (path, body) => {
    expect(lookupOf(path, body)).toBeNull();
    expect(lookupOf(path, body, true)).toBe("/v1/payment_intents/pi_1");
  });

  test("a number is priced in the currency that was found, though another one is counted", () => {
    // 500 yen were counted; then it became one of 2 dollars, which was less and is not counted.
    const object = countedAs(entryOf(micros(3_296_000)));
    const found = intent({ amount: 200 });
    expect(costOf(UPDATE, "amount=500", { object, found })).toBe(1_704_000n);
    expect(costOf(INCREMENT, "amount=500", { object, found })).toBe(1_704_000n);
    expect(costOf(CAPTURE, "amount_to_capture=500", { object, found })).toBe(1_704_000n);
  });

  test("an update that names the customer does not ask whom it is about", () => {
    expect(lookupOf(UPDATE, "customer=cus_1", true)).toBeNull();
  });

  test("nothing is asked for what is refused anyway", () => {
    expect(lookupOf(UPDATE, "surcharge=9")).toBeNull();
    expect(lookupOf(UPDATE, "amount=1&amount=2")).toBeNull();
  });
});

describe("the limits of a key", () => {
  const toOne = limited({ recipients: ["cus_1"] });

  test("let a PaymentIntent through for a customer that they name", () => {
    expect(limitCode(CREATE, "amount=5&currency=usd&customer=cus_1", toOne)).toBeNull();
    expect(limitCode(CREATE, "amount=5&currency=usd&customer=cus_2", toOne)).toBe("recipient_not_allowed");
    expect(limitCode(CREATE, "amount=5&currency=usd", toOne)).toBe("recipient_not_allowed");
  });

  test("hold what was found to its customer", () => {
    expect(limitCode(CONFIRM, "", toOne, { found: intent() })).toBeNull();
    expect(limitCode(CONFIRM, "", toOne, { found: intent({ customer: "cus_2" }) })).toBe(
      "recipient_not_allowed",
    );
    expect(limitCode(CONFIRM, "", toOne, { found: intent({ customer: null }) })).toBe(
      "recipient_not_allowed",
    );
    expect(limitCode(CANCEL, "", toOne, { object: counted(5), found: intent({ customer: "cus_2" }) })).toBe(
      "recipient_not_allowed",
    );
  });

  test("hold it to its currency, found or named", () => {
    const inEuro = limited({ currencies: ["eur"] });
    expect(limitCode(CREATE, "amount=5&currency=EUR", inEuro)).toBeNull();
    expect(limitCode(CREATE, "amount=5&currency=usd", inEuro)).toBe("currency_not_allowed");
    expect(limitCode(CONFIRM, "", inEuro, { found: intent() })).toBe("currency_not_allowed");
    expect(limitCode(UPDATE, "currency=usd", inEuro, { found: intent() })).toBe("currency_not_allowed");
    expect(limitCode(UPDATE, "description=x", inEuro, { object: counted(500) })).toBeNull();
  });
});

describe("what an answer says of a PaymentIntent that exists", () => {
  test("a raised one costs what goes beyond, and is counted as it is now", () => {
    expect(read(UPDATE, answer(200, intent({ amount: 800 })), { object: counted(500) })).toMatchObject({
      price: cents(300),
      counts: { objectId: "pi_1", units: 800n, currency: "usd", total: cents(800) },
    });
  });

  test("an update that names no money costs nothing, whatever it is about", () => {
    const reading = read(
      UPDATE,
      answer(200, intent({ amount: 800 })),
      { object: counted(0, 800) },
      { amount: cents(0), amountText: null, currency: null },
    );
    expect(reading).toMatchObject({ price: 0n, counts: null });
  });

  test("a change of its currency alone costs what it is worth beyond", () => {
    const reading = read(
      UPDATE,
      answer(200, intent({ currency: "eur" })),
      { object: counted(500) },
      { amount: cents(67), amountText: null, currency: "eur" },
    );
    expect(reading).toMatchObject({
      price: 665_000n,
      currency: "eur",
      fxRate: 1.133,
      counts: { units: 500n, currency: "eur", total: 5_665_000n },
    });
  });

  test("a capture costs what was received beyond what is counted", () => {
    const received = (amount_received: number) =>
      answer(200, intent({ amount_received, status: "succeeded" }));
    expect(read(CAPTURE, received(500), { object: counted(500) }).price).toBe(0n);
    expect(read(CAPTURE, received(600), { object: counted(500) }).price).toBe(cents(100));
    expect(read(CAPTURE, received(600), { found: intent() }).price).toBe(cents(600));
  });

  test("a part that was captured is remembered with what is left, which costs as much when it is captured later", () => {
    const unnamed = { amountText: null };
    const reading = read(
      CAPTURE,
      answer(200, intent({ amount_received: 200 })),
      { found: intent() },
      unnamed,
    );
    expect(reading).toMatchObject({
      price: cents(200),
      counts: { objectId: "pi_1", units: 500n, currency: "usd", total: cents(500) },
    });
    const found = intent({ amount_received: 200 });
    expect(costOf(CAPTURE, "", { object: counted(200, 500), found })).toBe(cents(300));
  });

  test("one that was made elsewhere is counted from its confirmation on", () => {
    expect(read(CONFIRM, answer(200, intent({ status: "succeeded" })), { found: intent() })).toMatchObject({
      price: cents(500),
      counts: { objectId: "pi_1", units: 500n, currency: "usd", total: cents(500) },
    });
  });

  test("an answer without an amount costs what was quoted", () => {
    for (const path of [CONFIRM, INCREMENT, UPDATE, CAPTURE])
      expect(read(path, answer(200, { id: "pi_1" }), { object: counted(500) }), path).toMatchObject({
        price: cents(500),
        counts: null,
      });
  });

  test.each([
    ["canceled", 0, true],
    ["canceled", 1, false],
    ["canceled", undefined, false],
    ["requires_capture", 0, false],
    ["void", 0, false],
  ])(
    "a cancellation that answers %s with %s received gives back: %s",
    (status, amount_received, givesBack) => {
      expect(
        read(CANCEL, answer(200, intent({ status, amount_received })), { object: counted(500) }),
      ).toMatchObject({ price: 0n, uncountsObject: givesBack });
    },
  );
});
