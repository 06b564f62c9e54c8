import { setTimeout as delay } from "node:timers/promises";
import { type Answer, Client, type Shot } from "../bench/client.ts";
import { Random } from "../simulation/random.ts";
import { at, textAt } from "../support/json.ts";
import type { SentCall, SentRequest, VaultKey } from "./facts.ts";
import { seedOf } from "./weather.ts";

/** What a call is. */
type CallKind = "payment" | "refund" | "free";

/** What agents do, each in so many of a thousand turns. */
const TURNS = {
  pay: 640,
  repeatLater: 60,
  free: 150,
  refund: 60,
  child: 12,
  revoke: 3,
  raise: 5,
  twin: 70,
} as const;

/** What the simulated vendor does to a call, in one of so many. */
const VENDOR_FAULTS = ["429", "500_before", "500_after", "break_before", "break_after", "slow"] as const;
const VENDOR_FAULT_ONE_IN = 8;
const REPEATS_MAX = 4;
const REQUEST_MS = 40_000;
const CENTS_MAX = 900;

/** The keys that agents begin with: how they are issued, and for how many they stand. */
const ROOTS: readonly (readonly [name: string, body: Readonly<Record<string, unknown>>])[] = [
  ["roomy", { total_usd_cap: 1_000_000 }],
  ["roomy-too", { daily_usd_cap: 1_000_000 }],
  ["daily", { daily_usd_cap: 400 }],
  ["both", { daily_usd_cap: 300, total_usd_cap: 250 }],
  ["tight", { total_usd_cap: 40, per_call_usd_cap: 5 }],
  ["one-dollar", { total_usd_cap: 1 }],
  ["rated", { daily_usd_cap: 500, max_calls_per_minute: 90 }],
  ["observing", { daily_usd_cap: 30, mode: "observe" }],
];

export interface TrafficOptions {
  readonly seed: number;
  readonly label: string;
  readonly apiKey: string;
  readonly agents: number;
  /** Where the product is; another one after a start. */
  readonly baseUrl: string;
  /** Resolves when the product takes calls. */
  readonly whenUp: () => Promise<unknown>;
}

export interface Traffic {
  readonly keys: readonly VaultKey[];
  readonly calls: readonly SentCall[];
  readonly requests: readonly SentRequest[];
  /** Begins no more, and resolves when what is under way has ended. */
  stop(): Promise<void>;
}

/** A key as an agent has it. */
interface HeldKey extends VaultKey {
  readonly token: string;
  revokedAtMs: number | null;
}

interface PlannedCall extends SentCall {
  readonly kind: CallKind;
  readonly shot: Shot;
  readonly idempotencyKey: string | null;
  readonly key: HeldKey;
  readonly keyIds: string[];
  sent: number;
}

/** Issues the keys that agents begin with, and lets agents call until they are stopped. All chance is the seed's. */
export async function startTraffic(options: TrafficOptions): Promise<Traffic> {
  const client = new Client(options.baseUrl);
  const crowd = new Crowd(options, client);
  await crowd.issueRoots();
  const agents = Array.from({ length: options.agents }, (_, index) => crowd.run(index));
  return {
    keys: crowd.keys,
    calls: crowd.calls,
    requests: crowd.requests,
    stop: async () => {
      crowd.isOver = true;
      await Promise.all(agents);
      client.close();
    },
  };
}

class Crowd {
  readonly keys: HeldKey[] = [];
  readonly calls: PlannedCall[] = [];
  readonly requests: SentRequest[] = [];
  isOver = false;
  readonly #options: TrafficOptions;
  readonly #client: Client;
  /** Calls with an idempotency key that nobody knows the end of. */
  readonly #unfinished: PlannedCall[] = [];
  /** What was paid and not refunded. */
  readonly #paid: { readonly id: string; readonly cents: number; readonly key: HeldKey }[] = [];

  constructor(options: TrafficOptions, client: Client) {
    this.#options = options;
    this.#client = client;
  }

  async issueRoots(): Promise<void> {
    const { apiKey } = this.#options;
    const above = await this.#untilMade(() =>
      this.#manage("POST", "/vault/api-keys", apiKey, {
        name: "faults",
        scopes: ["issue"],
        daily_usd_cap: 600,
      }),
    );
    const [apiKeyId, below] = [textAt(above, "id"), textAt(above, "api_key")];
    for (const [name, body] of ROOTS) await this.#untilIssued(apiKey, name, body, []);
    await this.#untilIssued(below, "below", { daily_usd_cap: 500 }, [apiKeyId]);
  }

  /** Secrets Manager, which knows the admin's key, is disturbed from the beginning. */
  async #untilMade(make: () => Promise<Answer>): Promise<unknown> {
    for (;;) {
      const { status, text } = await make();
      if (status === 201) return JSON.parse(text);
      if (status < 500) throw new Error(`nothing was made: ${status} ${text}`);
      await delay(100);
    }
  }

  async #untilIssued(...key: Parameters<Crowd["issue"]>): Promise<void> {
    const before = this.keys.length;
    while (this.keys.length === before) {
      await this.issue(...key);
      if (this.keys.length === before) await delay(100);
    }
  }

  async run(index: number): Promise<void> {
    const random = new Random(seedOf(this.#options.seed, "agent", `${index}`));
    while (!this.isOver) {
      try {
        await this.#turn(random);
      } catch {
        // What agents learn of is in `requests`; a turn that ends badly is what this is about.
      }
      await delay(random.int(25));
    }
  }

  async #turn(random: Random): Promise<void> {
    const turn = turnOf(random);
    const key = random.pick(this.keys);
    switch (turn) {
      case "pay":
        return this.#toItsEnd(this.#plan(random, key, "payment"), random);
      case "twin": {
        const call = this.#plan(random, key, "payment", true);
        await Promise.all([this.#toItsEnd(call, random), this.#toItsEnd(call, random)]);
        return;
      }
      case "free":
        return this.#toItsEnd(this.#plan(random, key, "free"), random);
      case "refund":
        return this.#toItsEnd(this.#plan(random, key, "refund"), random);
      case "repeatLater": {
        const [call] = this.#unfinished.splice(random.int(this.#unfinished.length + 1), 1);
        return call === undefined ? undefined : this.#toItsEnd(call, random);
      }
      case "child":
        return this.#child(random, key);
      case "revoke":
        return this.#revoke(key);
      case "raise":
        return this.#raise(random, key);
    }
  }

  #plan(random: Random, key: HeldKey, wanted: CallKind, isKeyed = random.chance(0.65)): PlannedCall {
    const name = `c${this.calls.length}`;
    const paid = wanted === "refund" ? this.#paid.splice(random.int(this.#paid.length + 1), 1)[0] : undefined;
    const kind: CallKind = wanted === "refund" && paid === undefined ? "payment" : wanted;
    const cents = kind === "free" ? 0 : random.between(1, Math.min(CENTS_MAX, paid?.cents ?? CENTS_MAX));
    const form = new URLSearchParams();
    if (kind === "payment") {
      form.set("amount", `${cents}`);
      form.set("currency", "usd");
      if (random.chance(0.5)) {
        form.set("confirm", "true");
        form.set("payment_method", "pm_card_visa");
      }
    }
    if (kind === "refund") {
      form.set("amount", `${cents}`);
      form.set("payment_intent", paid?.id ?? "");
    }
    if (kind !== "free") {
      form.set("metadata[call]", name);
      if (random.int(VENDOR_FAULT_ONE_IN) === 0) {
        form.set("metadata[keybrake_fault]", random.pick(VENDOR_FAULTS));
        form.set("metadata[keybrake_fault_ms]", `${random.between(20, 600)}`);
      }
    }
    const path = { payment: "/v1/payment_intents", refund: "/v1/refunds", free: "/v1/balance" }[kind];
    const shot: Shot =
      kind === "free"
        ? { method: "GET", path: `/stripe${path}` }
        : { method: "POST", path: `/stripe${path}`, body: form.toString() };
    const user = paid?.key ?? key;
    const idempotencyKey = kind !== "free" && isKeyed ? `${this.#options.label}-${name}` : null;
    const call = { name, kind, cents, shot, idempotencyKey, key: user, keyIds: [], sent: 0 };
    this.calls.push(call);
    return call;
  }

  /** As SDKs do: a call with an idempotency key is repeated while it is not known how it ended; one without is not. */
  async #toItsEnd(call: PlannedCall, random: Random): Promise<void> {
    for (let repeat = 0; !this.isOver; repeat++) {
      const key = repeat > 0 && random.chance(0.1) ? this.#siblingOf(call.key, random) : call.key;
      const request = await this.#send(call, key);
      if (!isUnknown(request) || call.idempotencyKey === null) return;
      if (repeat === REPEATS_MAX || random.chance(0.2)) {
        this.#unfinished.push(call);
        return;
      }
      await delay(random.between(10, 400));
    }
  }

  #siblingOf(key: HeldKey, random: Random): HeldKey {
    return random.pick(this.keys.filter(({ chain }) => chain[0] === key.chain[0]));
  }

  async #send(call: PlannedCall, key: HeldKey): Promise<SentRequest> {
    await this.#options.whenUp();
    const label = `${call.name}.${call.sent++}`;
    if (!call.keyIds.includes(key.id)) call.keyIds.push(key.id);
    const { shot, idempotencyKey } = call;
    const headers = {
      ...authorization(key.token),
      "Keybrake-Label": label,
      ...(shot.method === "POST" && { "Content-Type": "application/x-www-form-urlencoded" }),
      ...(idempotencyKey !== null && { "Idempotency-Key": idempotencyKey }),
    };
    const isAfterRevocation = this.#isRevoked(key);
    const sent = { label, call: call.name, keyId: key.id, isAfterRevocation };
    const answer = await this.#answered({ ...shot, headers });
    const request: SentRequest =
      answer === null
        ? { ...sent, status: 0, callId: null, charged: null, code: null }
        : { ...sent, status: answer.status, ...said(answer) };
    this.requests.push(request);
    if (answer !== null && answer.status === 200 && call.kind === "payment") this.#notePaid(call, answer);
    return request;
  }

  #notePaid(call: PlannedCall, { text }: Answer): void {
    const json: unknown = JSON.parse(text);
    if (at(json, "status") !== "succeeded") return;
    this.#paid.push({ id: textAt(json, "id"), cents: call.cents, key: call.key });
  }

  #isRevoked({ chain }: HeldKey): boolean {
    return this.keys.some(({ id, revokedAtMs }) => revokedAtMs !== null && chain.includes(id));
  }

  async #child(random: Random, parent: HeldKey): Promise<void> {
    const cap = { [random.pick(["total_usd_cap", "daily_usd_cap"])]: random.between(1, 60) };
    if (parent.name.startsWith("child-child") || this.keys.length > 60) return;
    await this.issue(parent.token, `child-${parent.name}`, cap, parent.chain);
  }

  async issue(token: string, name: string, body: object, above: readonly string[]): Promise<void> {
    await this.#options.whenUp();
    const json = { vendor: "stripe", agent_run_label: this.#options.label, ...body };
    const { status, text } = await this.#manage("POST", "/vault/keys", token, json);
    if (status !== 201) return;
    const issued: unknown = JSON.parse(text);
    const id = textAt(issued, "id");
    const observes = name === "observing";
    this.keys.push({
      id,
      name,
      observes,
      chain: [...above, id],
      token: textAt(issued, "vault_key"),
      revokedAtMs: null,
    });
  }

  /** Of keys that others issued: the rest is to last. */
  async #revoke(key: HeldKey): Promise<void> {
    if (!key.name.startsWith("child")) return;
    const answer = await this.#answered({
      path: "/vault/keys/self/revoke",
      headers: authorization(key.token),
    });
    if (answer?.status === 200) key.revokedAtMs = Date.now();
  }

  async #raise(random: Random, key: HeldKey): Promise<void> {
    if (key.name !== "tight") return;
    const json = { total_usd_cap: 40 + random.int(100) };
    await this.#manage("PATCH", `/vault/keys/${key.id}`, this.#options.apiKey, json);
  }

  #manage(method: string, path: string, token: string, json: object): Promise<Answer> {
    const headers = { ...authorization(token), "Content-Type": "application/json" };
    return this.#client.send({ method, path, headers, body: JSON.stringify(json) });
  }

  /** Null where nothing came back. */
  async #answered(shot: Shot): Promise<Answer | null> {
    const late = delay(REQUEST_MS, null, { ref: false });
    return Promise.race([this.#client.send(shot).catch(() => null), late]);
  }
}

const authorization = (token: string) => ({ Authorization: `Bearer ${token}` });

function said({ headers }: Answer): Pick<SentRequest, "callId" | "charged" | "code"> {
  const text = (name: string) => {
    const value = headers[name];
    return typeof value === "string" ? value : null;
  };
  return { callId: text("keybrake-call-id"), charged: text("keybrake-charged"), code: text("keybrake-code") };
}

/** Whether a repeat may learn more: of an error of somebody, of a key in use, of nothing at all, of a vendor's 429. */
const isUnknown = ({ status, code }: SentRequest): boolean =>
  status === 0 || status >= 500 || status === 409 || (status === 429 && code === null);

const TURNS_IN_ALL = Object.values(TURNS).reduce((sum, share) => sum + share, 0);

function turnOf(random: Random): keyof typeof TURNS {
  let left = random.int(TURNS_IN_ALL);
  for (const [name, share] of Object.entries(TURNS)) {
    left -= share;
    if (left < 0) return name as keyof typeof TURNS;
  }
  return "pay";
}
