import { headerText } from "../shared/request-log.ts";
import { type Simulator, startVendorSimulator } from "../shared/server.ts";
import { openAccounts } from "./accounts.ts";
import { type Api, answerApiRequest } from "./api.ts";
import { booksOf } from "./books.ts";
import { objectElsewhere } from "./elsewhere.ts";
import { openFaults } from "./faults.ts";
import { newId } from "./ids.ts";

export type StripeSimulator = Simulator;

export interface StripeSimulatorOptions {
  /** 0, the default, takes a free one. */
  readonly port?: number;
  /** If given, any other key is a 401. */
  readonly secretKey?: string;
  /** Milliseconds since 1970. */
  readonly now?: () => number;
  /** How long every execution waits before it changes anything. */
  readonly latencyMs?: number;
}

/**
 * Starts a stand-in for Stripe on 127.0.0.1: a platform's test account and whatever accounts it acts on, all empty, that
 * keep their state until it is closed. It serves the endpoints of routes.ts and, beside them, its own, which need no key:
 *
 * - `GET /books`: what was spent, by Stripe's own reckoning (books.ts); `?account=acct_…` of another account.
 * - `POST /objects`: makes an object as the merchant's own backend would have (elsewhere.ts).
 * - the requests as they came, and what shall go wrong (../shared/server.ts).
 *
 * Where it differs from Stripe on purpose:
 *
 * - Any `cus_…`, `pm_…` or `acct_…` id exists once it is named (references.ts, accounts.ts).
 * - There is no least amount (params.ts), no rate limit, and always enough money for payouts, transfers and refunds.
 * - Nothing happens by itself as time passes: payouts and top-ups stay pending, drafts stay drafts. What Stripe collects
 *   within the hour is collected at once (paying-invoices.ts).
 * - Taxes, discounts, fees, and a customer's balance change no amount.
 */
export function startStripeSimulator(options: StripeSimulatorOptions = {}): Promise<StripeSimulator> {
  const nowMs = options.now ?? Date.now;
  return startVendorSimulator(options.port ?? 0, nowMs, ({ orders, breaches, closed }) => {
    const accounts = openAccounts(nowMs);
    const api: Api = {
      accounts,
      faults: openFaults(orders),
      breaches,
      secretKey: options.secretKey,
      latencyMs: options.latencyMs ?? 0,
      closed,
    };
    return {
      name: "stripe",
      newRequestId: newId.request,
      keptHeaders: { stripe_account: "stripe-account", stripe_context: "stripe-context" },
      books: (query) => booksOf(accounts, query),
      own: { "POST /objects": (json) => objectElsewhere(accounts, json) },
      answer: ({ headers, ...request }) =>
        answerApiRequest(api, {
          ...request,
          authorization: headers.authorization,
          contentType: headerText(headers["content-type"]),
          idempotencyKey: headerText(headers["idempotency-key"]),
          stripeVersion: headerText(headers["stripe-version"]),
          stripeAccount: headerText(headers["stripe-account"]),
          stripeContext: headerText(headers["stripe-context"]),
        }),
    };
  });
}
