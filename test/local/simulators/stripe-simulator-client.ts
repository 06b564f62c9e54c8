import Stripe from "stripe";
import { afterEach, beforeEach } from "vitest";
import { type StripeSimulator, startStripeSimulator } from "../../../local/simulators/stripe/server.ts";

const SECRET_KEY = "sk_test_simulator_0123456789";

/** The moment at which everything happens in these tests, in milliseconds and in Stripe's seconds. */
const START_MS = 1_795_000_000_000;
export const START_S = 1_795_000_000;

export interface Books {
  readonly spent_cents: number;
  readonly spent_by_currency: Record<string, number>;
  readonly made: Record<string, number>;
  readonly entries: readonly Record<string, unknown>[];
  readonly [sum: string]: unknown;
}

export interface SimulatedStripe {
  readonly stripe: Stripe;
  readonly origin: string;
  books(account?: string): Promise<Books>;
  /** What was spent in each currency, in minor units. */
  spent(account?: string): Promise<Record<string, number>>;
  /** Makes an object as the merchant's own backend would have. */
  elsewhere(fields: Record<string, unknown>): Promise<{ id: string; [field: string]: unknown }>;
  fault(order: Record<string, unknown>): Promise<void>;
  /** A request without an SDK; a body that is text is a form. */
  send(
    method: string,
    path: string,
    body?: string | FormData,
    headers?: Record<string, string>,
  ): Promise<{ status: number; headers: Headers; json: { id: string; [field: string]: unknown } }>;
}

/** Gives every test of a file an empty simulator, with stripe-node in front of it that does not retry. */
export function simulatedStripe(): SimulatedStripe {
  let simulator: StripeSimulator;
  let stripe: Stripe;
  beforeEach(async () => {
    simulator = await startStripeSimulator({ secretKey: SECRET_KEY, now: () => START_MS });
    const { hostname, port } = new URL(simulator.origin);
    stripe = new Stripe(SECRET_KEY, {
      host: hostname,
      port,
      protocol: "http",
      maxNetworkRetries: 0,
      telemetry: false,
    });
  });
  afterEach(() => simulator.close());

  const own = async (path: string, body?: unknown) => {
    const sent = body === undefined ? {} : { method: "POST", body: JSON.stringify(body) };
    const answer = await fetch(simulator.origin + path, sent);
    const text = await answer.text();
    if (!answer.ok) throw new Error(text);
    return JSON.parse(text);
  };
  const books = (account?: string): Promise<Books> =>
    own(`/books${account === undefined ? "" : `?account=${account}`}`);
  return {
    get stripe() {
      return stripe;
    },
    get origin() {
      return simulator.origin;
    },
    books,
    spent: async (account) => (await books(account)).spent_by_currency,
    elsewhere: (fields) => own("/objects", fields),
    fault: (order) => own("/faults", order),
    async send(method, path, body, headers = {}) {
      const form = typeof body === "string" ? { "content-type": "application/x-www-form-urlencoded" } : {};
      const answer = await fetch(simulator.origin + path, {
        method,
        ...(body === undefined ? {} : { body }),
        headers: { authorization: `Bearer ${SECRET_KEY}`, ...form, ...headers },
      });
      return { status: answer.status, headers: answer.headers, json: JSON.parse(await answer.text()) };
    },
  };
}

/** Ends with what an SDK call was refused with. */
export async function refusal(call: Promise<unknown>): Promise<Stripe.errors.StripeError> {
  try {
    await call;
  } catch (error) {
    if (error instanceof Stripe.errors.StripeError) return error;
    throw error;
  }
  throw new Error("the call was not refused");
}
