import { fromUsdCents, NOTHING } from "../../lambda/domain/money.ts";
import { Problem } from "../../lambda/domain/problem.ts";
import type { LatePrices, PricedRule, Vendor } from "../../lambda/domain/vendor.ts";
import { jsonObjectOf, NOTHING_READ } from "../../lambda/vendors/json-answer.ts";
import { stripe } from "../../lambda/vendors/stripe/stripe.ts";

/**
 * A vendor of the simulation whose answers settle at an estimate, as Twilio's do, and that replays under an idempotency key,
 * as Stripe does. No vendor of the product does both. So a late price meets what it would not meet otherwise: repeats of its
 * call.
 */

const MESSAGES = "/v1/messages";
const DAY_MS = 24 * 3_600_000;
/** Answers from before anything was executed, where they are not replayed. */
const NOT_EXECUTED = new Set([400, 401, 404, 409, 429]);

const rule: PricedRule = {
  kind: "priced",
  idempotency: { windowMs: DAY_MS, rerunsFailures: false },
  quote: ({ body }) => {
    const amountText = new URLSearchParams(new TextDecoder().decode(body)).get("amount") ?? "";
    if (!/^[1-9][0-9]*$/.test(amountText)) return new Problem("amount_unknown", "amount: expected cents");
    return {
      amount: fromUsdCents(BigInt(amountText)),
      amountText,
      currency: "usd",
      fxRate: null,
      recipients: null,
      explanation: null,
    };
  },
  read: ({ status, headers, body }, quote) => {
    const replayed = headers["idempotent-replayed"]?.[0] === "true";
    const read = { ...NOTHING_READ, amountText: quote.amountText, currency: quote.currency, replayed };
    if (status === 200) {
      const { id, estimate } = jsonObjectOf(body) ?? {};
      const price = typeof estimate === "number" ? fromUsdCents(BigInt(estimate)) : quote.amount;
      return { ...read, kind: "executed", price, isEstimate: true, objectId: `${id}` };
    }
    const kind =
      status === 402 || (replayed && status < 500)
        ? "declined"
        : NOT_EXECUTED.has(status)
          ? "refused"
          : "unknown";
    return { ...read, kind, price: NOTHING };
  },
};

const latePrices: LatePrices = {
  lookup: (objectId) => `${MESSAGES}/${objectId}`,
  read: ({ price, status, ended_ms: endedAtMs }) => {
    if (typeof price !== "number")
      return status === "ended" ? { kind: "ended", endedAtMs: Number(endedAtMs) } : { kind: "under_way" };
    const final = {
      price: fromUsdCents(BigInt(price)),
      amountText: `${price}`,
      currency: "usd",
      fxRate: null,
    };
    return { kind: "final", final };
  },
};

export const lateVendor: Vendor = {
  ...stripe,
  name: "messenger",
  title: "Messenger",
  tellsPricesLate: true,
  catalog: [{ method: "POST", path: MESSAGES, rule }],
  isAbout: (path, { id }) => path === `${MESSAGES}/${id}` || path === MESSAGES,
  latePrices,
};
