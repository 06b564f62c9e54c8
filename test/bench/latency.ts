import { startBeforeUpstream } from "../support/before-upstream.ts";
import { ask, issue } from "../support/keybrake.ts";
import { type BareTrips, bareTrips } from "./bare-trips.ts";
import type { Bar } from "./chart.ts";
import { Client, timed } from "./client.ts";
import { startServer } from "./processes.ts";
import { type Product, payment, startProduct, succeed } from "./product.ts";
import {
  atLeast,
  atMost,
  type Bench,
  type Figure,
  median,
  ms,
  ratio,
  type Section,
  told,
} from "./section.ts";
import { startTripProxy } from "./trip-proxy.ts";

const AT_ONCE = [1, 16, 64] as const;
const ROUNDS = 5;
const CALLS_A_ROUND = 300;
const TRIPS_GOAL = 1.3;
const SHARED_KEY_GOAL = 0.8;

/** What the product adds to a call, and what of that is the database. */
export const latency: Section = {
  name: "latency",
  title: "What a call takes longer",
  how: `Payments with an idempotency key, on one key, at 1, 16 and 64 at once, in ${ROUNDS} rounds that take turns: straight to the vendor; through a bare proxy of node:http; through \`npm start\`; and the DynamoDB requests of the same payments alone, sent bare to the same engine. Vendor, bare proxy, product and engine have a process each, and share the machine's cores with the client; the product's process holds gateway, functions and the consumer of the stream.`,
  limits:
    "In a local run one process is gateway, functions and consumer, and one engine serves the audit log too. So a payment's own requests wait behind the log's, and behind each other, which the requests alone do not. On AWS each of these has a machine of its own; there a call adds its round trips (see above) and the CPU of its function.",
  async run(bench) {
    const product = await startProduct();
    const proxy = await startServer("bare-proxy-process.ts", [product.upstream.origin]);
    const direct = new Client(product.upstream.origin);
    const through = new Client(proxy.origin);
    const trips = await recordedTrips(product);
    try {
      const figures: Figure[] = [];
      const groups: { readonly name: string; readonly bars: readonly Bar[] }[] = [];
      for (const atOnce of AT_ONCE) {
        bench.say(`${atOnce} at once`);
        const found = await rounds(bench, atOnce, { product, direct, through, trips });
        const added = found.product.each - found.direct.each;
        groups.push({
          name: `${atOnce} at once`,
          bars: [
            { name: "a bare proxy", value: found.bare.each - found.direct.each },
            { name: "its DynamoDB requests alone", value: found.trips.each },
            { name: "Keybrake", value: added },
          ],
        });
        figures.push(
          told(`added at ${atOnce} at once`, ms(added)),
          told(
            "  the call itself, and through a bare proxy",
            `${ms(found.direct.each)}, ${ms(found.bare.each)}`,
          ),
          told("  the same DynamoDB requests alone", `${ms(found.trips.each)} (${trips.count} requests)`),
          atMost("  added, over its DynamoDB requests", added / found.trips.each, TRIPS_GOAL, ratio),
          told(
            "  calls a second",
            `${Math.round(found.product.aSecond)}, bare requests allow ${Math.round(found.trips.aSecond)}`,
          ),
        );
        if (atOnce === 64)
          figures.push(
            atLeast(
              "calls a second on one key, over what its requests allow",
              found.product.aSecond / found.trips.aSecond,
              SHARED_KEY_GOAL,
              ratio,
            ),
          );
      }
      const chart = { title: "What a call takes longer than straight to the vendor", unit: "ms", groups };
      return { figures, wrong: [], chart };
    } finally {
      direct.close();
      through.close();
      trips.close();
      await proxy.close();
      await product.close();
    }
  },
};

interface Measured {
  /** Median of the rounds' medians, milliseconds. */
  readonly each: number;
  readonly aSecond: number;
}

async function rounds(
  bench: Bench,
  atOnce: number,
  of: {
    readonly product: Product;
    readonly direct: Client;
    readonly through: Client;
    readonly trips: BareTrips;
  },
): Promise<Readonly<Record<"direct" | "bare" | "product" | "trips", Measured>>> {
  const count = bench.options.smoke ? 40 : Math.max(CALLS_A_ROUND, atOnce * 10);
  const { product, direct, through, trips } = of;
  const kinds = {
    direct: () => succeed(direct, payment("direct", "")),
    bare: () => succeed(through, payment("bare", "")),
    product: () => succeed(product.client, payment(product.key.token)),
    trips: () => trips.send(++sent),
  } as const;
  const each: Record<keyof typeof kinds, number[]> = { direct: [], bare: [], product: [], trips: [] };
  const aSecond: Record<keyof typeof kinds, number[]> = { direct: [], bare: [], product: [], trips: [] };
  for (let round = 0; round < (bench.options.smoke ? 1 : ROUNDS); round++) {
    for (const kind of ["direct", "bare", "product", "trips"] as const) {
      const result = await timed(count, atOnce, kinds[kind]);
      each[kind].push(median(result.each));
      aSecond[kind].push((count / result.all) * 1000);
    }
  }
  const measured = (kind: keyof typeof kinds): Measured => ({
    each: median(each[kind]),
    aSecond: median(aSecond[kind]),
  });
  return {
    direct: measured("direct"),
    bare: measured("bare"),
    product: measured("product"),
    trips: measured("trips"),
  };
}

let sent = 0;

/**
 * The requests of one payment, recorded in a run of its own, whose key is put into the engine of the product: so they are
 * sent to the balance of a key there.
 */
async function recordedTrips(product: Product): Promise<BareTrips> {
  const proxies: Awaited<ReturnType<typeof startTripProxy>>[] = [];
  const { run } = await startBeforeUpstream(undefined, {
    beforeDynamoDb: async (engine) => {
      const proxy = await startTripProxy(engine);
      proxies.push(proxy);
      return proxy.endpoint;
    },
  });
  const [proxy] = proxies;
  if (proxy === undefined) throw new Error("no functions were started");
  try {
    const key = await issue(run, { daily_usd_cap: 1_000_000 });
    const form = { amount: "100", currency: "usd" };
    const pay = (name: string) =>
      ask(run, "POST", "/stripe/v1/payment_intents", {
        token: key.token,
        form,
        headers: { "Idempotency-Key": name },
      });
    await pay("warm");
    await run.drain();
    proxy.forget();
    await pay("recorded");
    const other = await issue(product.run, { daily_usd_cap: 1_000_000 });
    const requests = proxy.seen.map(({ operation, body }) => ({
      operation,
      body: body.replaceAll(key.id, other.id),
    }));
    return await bareTrips(requests, product.run.dynamodbEndpoint);
  } finally {
    await run.close();
    await proxy.close();
  }
}
