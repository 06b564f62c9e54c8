import { issue, type Key } from "../support/keybrake.ts";
import { type Started, start } from "../support/start.ts";
import { Client, type Shot } from "./client.ts";
import { type Server, startServer } from "./processes.ts";

/** The product as `npm start` runs it, in a process of its own, before a vendor that answers at once in another one. */
export interface Product {
  readonly run: Started;
  readonly upstream: Server;
  readonly client: Client;
  readonly key: Key;
  close(): Promise<void>;
}

export async function startProduct(): Promise<Product> {
  const upstream = await startServer("upstream-process.ts");
  const run = await start({ KEYBRAKE_STRIPE_ORIGIN: upstream.origin, KEYBRAKE_LOG: "off" });
  const key = await issue(run, { daily_usd_cap: 1_000_000, agent_run_label: "bench/1" });
  const client = new Client(run.baseUrl);
  return {
    run,
    upstream,
    client,
    key,
    close: async () => {
      client.close();
      await run.kill("SIGTERM");
      await upstream.close();
    },
  };
}

const FORM = "amount=100&currency=usd";
let paid = 0;

/** A payment of a dollar; each has an idempotency key of its own unless it is to have none. */
export const payment = (token: string, prefix = "/stripe", withKey = true): Shot => ({
  path: `${prefix}/v1/payment_intents`,
  headers: {
    Authorization: `Bearer ${token}`,
    "Content-Type": "application/x-www-form-urlencoded",
    ...(withKey && { "Idempotency-Key": `bench-${process.pid}-${++paid}` }),
  },
  body: FORM,
});

/** Sends what has to be answered with 200. */
export async function succeed(client: Client, shot: Shot): Promise<void> {
  const { status, text } = await client.send(shot);
  if (status !== 200) throw new Error(`${shot.path} answered ${status}: ${text.slice(0, 300)}`);
}
