import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { manifest } from "../../lambda/vendors/stripe/manifest.ts";
import { startDynamoDb } from "../../local/aws/dynamodb.ts";
import { standIn } from "../../local/aws/stand-in.ts";
import { freePort } from "../../local/listen.ts";
import { startStripeSimulator } from "../../local/simulators/stripe/server.ts";
import { Client } from "../bench/client.ts";
import { Random } from "../simulation/random.ts";
import { startFaultyWay } from "../support/faulty-way.ts";
import { type Checked, check, type Violation, type ViolationKind } from "./check.ts";
import { chargesAt, logReader, storedBalances } from "./evidence.ts";
import type { Facts } from "./facts.ts";
import { type Product, type Starting, startProduct } from "./product.ts";
import { close } from "./resolving.ts";
import type { Tally } from "./tally.ts";
import { startTraffic, type Traffic } from "./traffic.ts";
import { openWeather, seedOf, type Weather } from "./weather.ts";

const SHARED_MEMORY = "/dev/shm";
const ROOT = join(import.meta.dirname, "..", "..");
const API_KEY = "admin-key-of-the-faults";
const LABEL = "faults/1";
const RESOLVE_AFTER_S = 3;
/** How long nothing may change after the traffic while something is open or held: then it stays so. */
const SETTLE_MS = 45_000;
const LOOK_EVERY_MS = 1_000;
/** So long nobody closes by hand what may close by itself: it is found by the next sweep but one, and the vendor is asked. */
const ALONE_MS = 15_000;
/** What is true as long as nobody has closed what is unresolved. */
const WAIT_FOR_SOMEBODY: readonly ViolationKind[] = ["unresolved", "held for nothing"];
const AGENTS = 16;
/** How likely a start is to be killed before it is ready, and how long a start takes. */
const CHANCE_OF_A_KILLED_START = 0.5;
const START_MS = 1_500;
/** By how much the clock of one function is off, in some starts. */
const CLOCK_OFF_MS = 60_000;

/**
 * What a round disturbs. `between`: everything between the functions and AWS, while their process is killed now and then and
 * the database lives on, as in Lambda. `killed`: `npm start` as it is, on a data file, killed whole at every turn.
 */
export const ACTS = {
  between: { program: join(ROOT, "test", "faults", "faulty-run.ts"), aliveMs: [5_000, 20_000] },
  killed: { program: join(ROOT, "bin", "local.ts"), aliveMs: [100, 2_000] },
} as const satisfies Readonly<Record<string, { program: string; aliveMs: readonly [number, number] }>>;

export type Act = keyof typeof ACTS;

export interface RoundOptions {
  readonly act: Act;
  readonly seed: number;
  readonly trafficMs: number;
  readonly tally: Tally;
  /** Whether what crashed has to be back, and nothing may stay open. */
  readonly judgesHeld: boolean;
}

export interface RoundResult {
  readonly violations: readonly Violation[];
  /** Micro-dollars that root keys held right after the traffic, and at the end, beyond what was charged. */
  readonly heldAfterTraffic: bigint;
  readonly heldAtEnd: bigint;
  readonly charged: bigint;
  /** Seconds from the end of the traffic until nothing was open. */
  readonly settledAfterS: number;
  readonly openRows: number;
  readonly unresolvedRows: number;
  readonly closedByHand: number;
  /** Of the dead letters: replayed, and left. */
  readonly deadLetters: { readonly recorded: number; readonly left: number };
  /** The end of what the product wrote to stderr. */
  readonly stderr: string;
}

/** One world from its first key to the comparison of its books, with everything in it made anew. */
export async function runRound(options: RoundOptions): Promise<RoundResult> {
  const { act, seed, tally } = options;
  const closers: (() => Promise<unknown> | unknown)[] = [];
  try {
    const folder = await mkdtemp(join(place(), "keybrake-faults-"));
    closers.push(() => rm(folder, { recursive: true, force: true }));
    const vendor = await startStripeSimulator({ secretKey: manifest.local.placeholder });
    closers.push(() => vendor.close());
    const weather = openWeather({ seed, name: "dynamodb", onFault: tally.fault });
    weather.calm();
    closers.push(() => weather.end());
    const environment: Record<string, string> = {
      PORT: `${await freePort()}`,
      KEYBRAKE_API_KEY: API_KEY,
      KEYBRAKE_DATA: join(folder, "data"),
      KEYBRAKE_LOG: "off",
      KEYBRAKE_RESOLVE_AFTER_S: `${RESOLVE_AFTER_S}`,
      KEYBRAKE_STRIPE_ORIGIN: vendor.origin,
    };
    if (act === "between") environment["KEYBRAKE_DYNAMODB"] = await engineBehind(weather, closers);
    const life = new Life(options, environment);
    closers.push(() => life.end());
    await life.begin();

    const traffic = await startTraffic({
      seed,
      label: LABEL,
      apiKey: API_KEY,
      agents: AGENTS,
      baseUrl: life.product.baseUrl,
      whenUp: () => life.up,
    });
    weather.resume();
    await life.live(options.trafficMs);
    await traffic.stop();
    weather.calm();
    tally.calls += traffic.calls.length;
    tally.requests += traffic.requests.length;
    return await settle(options, { life, traffic, origin: vendor.origin });
  } finally {
    for (let closer = closers.pop(); closer !== undefined; closer = closers.pop()) await closer();
  }
}

/** In memory where that is offered: a kill takes nothing from there either, and a start waits for no disk. */
const place = (): string => (existsSync(SHARED_MEMORY) ? SHARED_MEMORY : tmpdir());

async function engineBehind(
  weather: Weather,
  closers: (() => Promise<unknown> | unknown)[],
): Promise<string> {
  const engine = await startDynamoDb();
  closers.push(() => engine.close());
  const way = await startFaultyWay(engine.endpoint, (asked) => weather.befall(asked));
  closers.push(() => way.close());
  weather.refuseOn(way);
  return way.endpoint;
}

/** The product, which is killed and started again. */
class Life {
  /** Resolves when it takes calls. */
  up: Promise<unknown> = Promise.resolve();
  #product: Product | undefined;
  readonly #options: RoundOptions;
  readonly #environment: Readonly<Record<string, string>>;
  readonly #random: Random;
  /** By how much a clock may be ahead, in any of its lives. */
  aheadMs = 0;

  constructor(options: RoundOptions, environment: Readonly<Record<string, string>>) {
    this.#options = options;
    this.#environment = environment;
    this.#random = new Random(seedOf(options.seed, "life"));
  }

  get product(): Product {
    if (this.#product === undefined) throw new Error("the product does not run");
    return this.#product;
  }

  async begin(): Promise<void> {
    this.#product = await this.#start().ready;
  }

  #start(): Starting {
    const { act, tally, seed: roundSeed } = this.#options;
    const clock = this.#clock();
    const FAULTS = JSON.stringify({ seed: this.#random.int(2 ** 31), roundSeed, clock });
    return startProduct({
      program: ACTS[act].program,
      environment: { ...this.#environment, FAULTS },
      takesOrders: act === "between",
      onTold: (told) => {
        const { fault, what } = told as { readonly fault: string; readonly what: string };
        tally.fault(fault, what);
      },
    });
  }

  /** The first life issues keys, whose windows begin when they are issued. */
  #clock() {
    const { act } = this.#options;
    if (act !== "between" || this.#product === undefined || this.#random.chance(0.5)) return null;
    const name = this.#random.pick(["proxy-call", "record-audit", "resolve-calls", "issue-key"]);
    const offsetMs = this.#random.pick([-CLOCK_OFF_MS, CLOCK_OFF_MS]);
    this.aheadMs = Math.max(this.aheadMs, offsetMs);
    return { function: name, offsetMs };
  }

  /** Lives and dies by chance until the time is over. The last start is undisturbed. */
  async live(forMs: number): Promise<void> {
    const { act } = this.#options;
    const untilMs = Date.now() + forMs;
    for (;;) {
      const [shortest, longest] = ACTS[act].aliveMs;
      const aliveMs = this.#random.between(shortest, longest);
      const leftMs = untilMs - Date.now();
      if (leftMs <= 0) return;
      await delay(Math.min(aliveMs, leftMs));
      if (leftMs < aliveMs) return;
      this.up = this.#die(() => this.product.kill(), act).then(() => this.#rise());
      await this.up;
    }
  }

  /** Starts until a start gets as far as taking calls. */
  async #rise(): Promise<void> {
    const { act } = this.#options;
    for (;;) {
      const starting = this.#start();
      if (!this.#random.chance(CHANCE_OF_A_KILLED_START)) {
        if (await this.#isUp(starting)) return;
        continue;
      }
      const wasReady = starting.ready.then(
        () => true,
        () => false,
      );
      await Promise.race([wasReady, delay(this.#random.int(START_MS))]);
      await this.#die(starting.kill, `${act} at its start`);
    }
  }

  /** A start that meets faults of the database may end, with a sentence; one that meets none may not. */
  async #isUp({ ready }: Starting): Promise<boolean> {
    const { act, tally } = this.#options;
    try {
      this.#product = await ready;
      return true;
    } catch (error) {
      if (act === "killed" || !String(error).includes("keybrake cannot start")) throw error;
      tally.fault("start_failed", act);
      return false;
    }
  }

  async #die(kill: () => Promise<void>, when: string): Promise<void> {
    await kill();
    this.#options.tally.kills++;
    this.#options.tally.fault("killed", when);
  }

  async end(): Promise<void> {
    await this.#product?.stop();
  }
}

interface Ended {
  readonly life: Life;
  readonly traffic: Traffic;
  readonly origin: string;
}

/** Waits until the log and the resolver are through, closes what nobody can know, and compares. */
async function settle(
  { act, judgesHeld, trafficMs }: RoundOptions,
  { life, traffic, origin }: Ended,
): Promise<RoundResult> {
  const { product } = life;
  const client = new Client(product.baseUrl);
  const table = new DynamoDBClient(standIn(product.dynamodbEndpoint));
  const log = logReader(client, API_KEY);
  const gather = async (): Promise<Facts> => ({
    keys: traffic.keys,
    calls: traffic.calls,
    requests: traffic.requests,
    charges: await chargesAt(origin, manifest),
    balances: await storedBalances(table),
    rows: await log.rows(LABEL),
    sums: await log.sums(LABEL),
  });
  try {
    const beganMs = Date.now();
    const deadLetters = { recorded: 0, left: 0 };
    let patienceMs = SETTLE_MS + life.aheadMs;
    if (act === "between") {
      await product.ask("calm");
      await product.ask("drain");
      Object.assign(deadLetters, await product.ask("replay"));
      await product.ask("drain");
      // What has waited for them in vain is looked at again after as long as it has waited.
      if (deadLetters.recorded > 0) patienceMs += trafficMs + Date.now() - beganMs;
    }
    const first = check(await gather(), false);
    const closed = new Set<string>();
    let settledAfterS = 0;
    let last = first;
    let changedMs = Date.now();
    for (;;) {
      const facts = await gather();
      const nowMs = Date.now();
      const now = check(facts, judgesHeld);
      if (hasChanged(last, now)) changedMs = nowMs;
      last = now;
      if (last.openRows > 0 || last.violations.some(({ kind }) => !WAIT_FOR_SOMEBODY.includes(kind)))
        settledAfterS = (nowMs - beganMs) / 1000;
      if (last.violations.length === 0 || nowMs > changedMs + patienceMs) break;
      if (nowMs > beganMs + ALONE_MS && last.openRows === 0)
        for (const call of await close(facts, { client, apiKey: API_KEY })) closed.add(call);
      await delay(LOOK_EVERY_MS);
    }
    return {
      violations: last.violations,
      heldAfterTraffic: first.held,
      heldAtEnd: last.held,
      charged: last.charged,
      settledAfterS,
      openRows: last.openRows,
      unresolvedRows: last.unresolvedRows,
      closedByHand: closed.size,
      deadLetters,
      stderr: product.stderr(),
    };
  } finally {
    table.destroy();
    client.close();
  }
}

const hasChanged = (was: Checked, is: Checked): boolean =>
  was.held !== is.held || was.openRows !== is.openRows || was.unresolvedRows !== is.unresolvedRows;
