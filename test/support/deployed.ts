import { connect, createServer, type Socket } from "node:net";
import { vendorRegistry } from "../../lambda/vendors/index.ts";
import { listen } from "../../local/listen.ts";
import type { LocalOptions, LocalRun } from "../../local/run.ts";
import { startStripeSimulator } from "../../local/simulators/stripe/server.ts";
import { vendorNamed } from "../../local/vendor-targets.ts";
import { eventually } from "./eventually.ts";
import { at, listAt } from "./json.ts";

/** A deployment that tests are to be run against, instead of starting Keybrake themselves. */
export interface Deployment {
  /** With the stage, without a slash at the end. */
  readonly baseUrl: string;
  readonly apiKey: string;
  /** AWS, or what stands in for it. */
  readonly awsEndpoint: string;
  /** Where the deployment takes Stripe to be, on 127.0.0.1. */
  readonly stripePort: number;
  /** The credential that was set for Stripe. */
  readonly stripeSecret: string;
}

export const DEPLOYMENT_VARIABLE = "KEYBRAKE_TEST_DEPLOYMENT";

/** The deployment under test; null where tests start Keybrake themselves, which is the rule. */
export function deploymentUnderTest(): Deployment | null {
  const text = process.env[DEPLOYMENT_VARIABLE];
  return text === undefined ? null : JSON.parse(text);
}

/** A new simulated Stripe behind the deployment; what was in the one before is gone. */
export async function useDeployment(deployment: Deployment, options: LocalOptions): Promise<LocalRun> {
  if (Object.keys(options).length > 0)
    throw new Error(`a deployment cannot be started with ${JSON.stringify(options)}`);
  const { baseUrl, apiKey, awsEndpoint, stripePort, stripeSecret } = deployment;
  const stripe = await startStripeSimulator({ secretKey: stripeSecret });
  const forwarder = await forward(stripePort, stripe.origin);
  const ofStripe = { target: "upstream" as const, origin: stripe.origin, booksUrl: `${stripe.origin}/books` };
  /** Its vendors' own addresses are configured, and nobody calls them. */
  const notThere = { target: "upstream" as const, origin: "http://127.0.0.1:9" };
  const vendors = vendorRegistry().all.map((vendor) => ({
    vendor,
    ...(vendor.name === "stripe" ? ofStripe : notThere),
  }));
  return {
    baseUrl,
    apiKey,
    dynamodbEndpoint: awsEndpoint,
    data: undefined,
    vendors,
    vendor: (name) => vendorNamed(vendors, name),
    drain: () => drained(deployment),
    resolveCalls: () => Promise.reject(new Error("a deployment finishes calls by its schedule alone")),
    tellOpen: () => Promise.reject(new Error("a deployment tells open attempts by its schedule alone")),
    applyStops: () =>
      Promise.reject(new Error("a deployment applies stops by its stream and its schedule alone")),
    dashboardUrl: () => Promise.reject(new Error("a deployment's dashboard is opened by keybrake dashboard")),
    underWay: () => 0,
    close: async () => {
      await forwarder.close();
      await stripe.close();
    },
  };
}

/** A stream keeps the order of one table's changes here, so what was written before a new key is recorded before it is. */
async function drained({ baseUrl, apiKey }: Deployment): Promise<void> {
  const headers = { Authorization: `Bearer ${apiKey}` };
  const asked = async (path: string, init: RequestInit = {}): Promise<unknown> =>
    (await fetch(`${baseUrl}${path}`, { headers, ...init })).json();
  const body = JSON.stringify({ vendor: "stripe", daily_usd_cap: 1, agent_run_label: "drained/1" });
  const marker = await asked("/vault/keys", { method: "POST", body });
  await eventually(async () => {
    const page = await asked(`/vault/audit?key_id=${at(marker, "id")}`);
    if (listAt(page, "data").length === 0) throw new Error("the audit log is behind");
  }, 30_000);
}

/** Bytes from a port of ours to an origin and back. */
async function forward(port: number, origin: string): Promise<{ close(): Promise<void> }> {
  const target = Number(new URL(origin).port);
  const sockets = new Set<Socket>();
  const server = createServer((near) => {
    const far = connect(target, "127.0.0.1");
    for (const socket of [near, far]) {
      sockets.add(socket);
      socket.on("error", () => {});
      socket.on("close", () => {
        sockets.delete(socket);
        near.destroy();
        far.destroy();
      });
    }
    near.pipe(far).pipe(near);
  });
  await listen(server, port);
  return {
    close: async () => {
      const closed = new Promise((resolve) => server.close(resolve));
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}
