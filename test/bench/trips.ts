import { startBeforeUpstream } from "../support/before-upstream.ts";
import { ask, issue, type Key, type OwnRun } from "../support/keybrake.ts";
import type { OwnUpstream } from "../support/own-upstream.ts";
import { type Section, told } from "./section.ts";
import { startTripProxy, type TripProxy } from "./trip-proxy.ts";

/** DynamoDB round trips of a call, one after another: those at the same time count as one. */
export interface Trips {
  readonly before: number;
  readonly all: number;
}

export const CALL_KINDS = [
  "paid",
  "paid with an idempotency key",
  "paid, something goes back",
  "free",
  "paid, of a key with a rate",
  "free, of a key with a rate",
] as const;
export type CallKind = (typeof CALL_KINDS)[number];

/** Counts the trips of each kind of call between the real functions and the real engine. The policy is in the cache. */
export async function countedTrips(): Promise<Readonly<Record<CallKind, Trips>>> {
  const proxies: TripProxy[] = [];
  const { run, upstream } = await startBeforeUpstream(undefined, {
    beforeDynamoDb: async (engine) => {
      const proxy = await startTripProxy(engine);
      proxies.push(proxy);
      return proxy.endpoint;
    },
  });
  const [proxy] = proxies;
  if (proxy === undefined) throw new Error("no functions were started");
  try {
    const keys = { plain: await issue(run), limited: await issue(run, { max_calls_per_minute: 100 }) };
    const counted: Partial<Record<CallKind, Trips>> = {};
    for (const kind of CALL_KINDS) {
      const key = kind.endsWith("rate") ? keys.limited : keys.plain;
      await CALLS[kind](run, key, upstream, "warm");
      await run.drain();
      proxy.forget();
      await CALLS[kind](run, key, upstream, "counted");
      const sentMs = upstreamAtMs(upstream);
      counted[kind] = { before: proxy.trips(sentMs), all: proxy.trips(Number.POSITIVE_INFINITY) };
      await run.drain();
    }
    return counted as Readonly<Record<CallKind, Trips>>;
  } finally {
    await run.close();
    await proxy.close();
  }
}

/** When the vendor got the last request, by the clock of this process. */
const arrivals = new WeakMap<OwnUpstream, number>();
const upstreamAtMs = (upstream: OwnUpstream): number => arrivals.get(upstream) ?? 0;

type Call = (run: OwnRun, key: Key, upstream: OwnUpstream, name: string) => Promise<void>;

const CALLS: Readonly<Record<CallKind, Call>> = {
  paid: (run, key, upstream) => pay(run, key, upstream, {}, 200),
  "paid with an idempotency key": (run, key, upstream, name) =>
    pay(run, key, upstream, { "Idempotency-Key": `trips-${name}` }, 200),
  "paid, something goes back": (run, key, upstream, name) =>
    pay(run, key, upstream, { "Idempotency-Key": `back-${name}` }, 402),
  free: list,
  "paid, of a key with a rate": (run, key, upstream) => pay(run, key, upstream, {}, 200),
  "free, of a key with a rate": list,
};

async function list(run: OwnRun, key: Key, upstream: OwnUpstream): Promise<void> {
  upstream.next((response) => {
    arrivals.set(upstream, performance.now());
    response.writeHead(200, { "Content-Type": "application/json" }).end('{"object":"list","data":[]}');
  });
  await ask(run, "GET", "/stripe/v1/customers", { token: key.token });
}

async function pay(
  run: OwnRun,
  key: Key,
  upstream: OwnUpstream,
  headers: Readonly<Record<string, string>>,
  status: number,
): Promise<void> {
  upstream.next((response) => {
    arrivals.set(upstream, performance.now());
    const body =
      status === 200
        ? {
            id: `pi_trips${++made}`,
            object: "payment_intent",
            amount: 100,
            currency: "usd",
            status: "requires_payment_method",
          }
        : { error: { type: "card_error", code: "card_declined", message: "declined" } };
    response.writeHead(status, { "Content-Type": "application/json" }).end(JSON.stringify(body));
  });
  const form = { amount: "100", currency: "usd" };
  const reply = await ask(run, "POST", "/stripe/v1/payment_intents", { token: key.token, form, headers });
  if (reply.status !== status) throw new Error(`answered ${reply.status}: ${reply.text}`);
}

let made = 0;

export const trips: Section = {
  name: "trips",
  title: "Round trips to DynamoDB",
  how: "Requests between the functions and the engine, one after another; those at the same time count as one. The policy of the key is in the cache.",
  async run() {
    const counted = await countedTrips();
    return {
      figures: CALL_KINDS.map((kind) =>
        told(kind, `${counted[kind].before} before it is sent, ${counted[kind].all} in all`),
      ),
      wrong: [],
    };
  },
};
