import { settleLatePrices } from "../../lambda/app/audit/settle-late-prices.ts";
import { ADMIN } from "../../lambda/app/keys/caller.ts";
import { issueKey, type KeyRequest } from "../../lambda/app/keys/issue-key.ts";
import { changeKey, revokeKey } from "../../lambda/app/keys/manage-key.ts";
import { proxyCall } from "../../lambda/app/proxy/proxy-call.ts";
import type { ProxyPorts } from "../../lambda/app/proxy/proxy-ports.ts";
import type { ProxyRequest } from "../../lambda/app/proxy/proxy-request.ts";
import type { ProxyResult } from "../../lambda/app/proxy/proxy-result.ts";
import { daysFromMs, isApiKeyId, NEVER_MS } from "../../lambda/domain/api-key.ts";
import { type Caps, fullBalance, UNCAPPED } from "../../lambda/domain/balance.ts";
import { fromUsdCents, type MicroUsd } from "../../lambda/domain/money.ts";
import { type ChainMember, makeVaultKey, type Policy } from "../../lambda/domain/vault-key.ts";
import type { SpentBudget } from "../../lambda/ports/audit.ts";
import type { Ids } from "../../lambda/ports/ids.ts";
import { vendorRegistry } from "../../lambda/vendors/index.ts";
import { registryOf } from "../../lambda/vendors/registry.ts";
import type { VaultState } from "../support/memory-vault.ts";
import { DEFAULT_RATE_CARD } from "../support/rate-card.ts";
import { UNLIMITED } from "../support/unlimited.ts";
import type { Checks } from "./checks.ts";
import { FaultyVault } from "./faulty-vault.ts";
import { lateVendor } from "./late-vendor.ts";
import type { Random } from "./random.ts";
import type { SimulatedVendor } from "./vendor.ts";
import type { Process, World } from "./world.ts";

const VENDORS = registryOf([...vendorRegistry().all, lateVendor]);
/** How likely the keys of a family are for the vendor that tells prices late, and not for Stripe. */
const LATE = 0.3;
/** What a run that asks for late prices has, in milliseconds: often too little for all of them. */
const RUNS_MS = [15_000, 60_000, 300_000];
/** Until then the price of every message is known; and until then one that is never known is not asked for any more. */
const LATE_ROUNDS_MS = [3_600_000, 31 * 3_600_000, 8 * 24 * 3_600_000];
/** Small, so that caps are met and off-by-one shows. USD cents. */
const ISSUER = { kind: "admin", id: "admin" } as const;
const AMOUNT_MAX = 5;
const CAP_MAX = 14;
const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;
const INVOCATION_MS = 29_000;
/**
 * The creation of a PaymentIntent is not repeated across the end of its recall: a known gap (docs/testing.md). Nor is a
 * message: whoever joins one that is settled at an estimate could make another one, which costs more. Charges and refunds
 * are.
 */
const CREATION_REPEATED_MS_MAX = 22 * HOUR_MS;
const NOT_REPEATED_LATE = ["v1/payment_intents", "v1/messages"];
const FORM = { "content-type": ["application/x-www-form-urlencoded"] };

const isVaultKey = ({ keyId }: ChainMember): boolean => !isApiKeyId(keyId);

/** A key that an agent holds. */
interface HeldKey {
  readonly token: string;
  readonly policy: Policy;
}

/** The keys that may repeat each other's calls: those of one root. */
type Family = readonly HeldKey[];

const isLate = ([key]: Family): boolean => key?.policy.vendor === lateVendor.name;

/** A call as a client means it: what stays the same when it is repeated. */
interface Intention {
  readonly method: string;
  readonly path: string;
  readonly fields: Readonly<Record<string, string>>;
  readonly idempotencyKey: string | null;
  readonly meantMs: number;
}

/** What a client was told, if anything. */
export interface Decision {
  readonly process: Process;
  readonly result: ProxyResult;
}

/** Changes of keys that were acknowledged, for promise 6. */
export interface KeyEvents {
  readonly issued: Set<string>;
  readonly revoked: Set<string>;
  changed: number;
}

/**
 * What happens in one schedule: agents that call in parallel, repeat what failed, repeat what did not, with their own
 * key or that of a sibling; and an operator who issues, changes and revokes keys at any moment.
 */
export class Scenario {
  readonly decisions: Decision[] = [];
  readonly events: KeyEvents = { issued: new Set(), revoked: new Set(), changed: 0 };
  readonly #world: World;
  readonly #state: VaultState;
  readonly #vendor: SimulatedVendor;
  readonly #checks: Checks;
  readonly #spending: SpentBudget;
  readonly #rules: Random;
  /** Whether keys of this schedule may observe only, or have a rate. */
  readonly #hasRules: boolean;
  readonly #families: Family[] = [];
  readonly #intentions: { readonly family: Family; readonly intention: Intention }[] = [];
  /** One idempotency key for everything, as a careless client would. */
  readonly #sharedKey: string | null;
  #names = 0;

  constructor(
    world: World,
    state: VaultState,
    vendor: SimulatedVendor,
    checks: Checks,
    spending: SpentBudget,
    rules: Random,
  ) {
    this.#world = world;
    this.#state = state;
    this.#vendor = vendor;
    this.#checks = checks;
    this.#spending = spending;
    this.#rules = rules;
    this.#hasRules = rules.chance(0.25);
    this.#sharedKey = world.random.chance(0.1) ? "shared" : null;
    const families = this.#sharedKey === null && world.random.chance(0.25) ? 2 : 1;
    for (let family = 0; family < families; family++) this.#families.push(this.#makeFamily());
  }

  /** Starts everybody; the scheduler does the rest. */
  start(): void {
    const { random } = this.#world;
    const agents = random.between(2, 5);
    for (let agent = 0; agent < agents; agent++) this.#go(this.#agent(random.pick(this.#families)));
    if (random.chance(0.2)) this.#go(this.#revoker());
    if (random.chance(0.3)) this.#go(this.#changer());
    if (random.chance(0.2)) this.#go(this.#issuer());
    if (this.#families.some(isLate)) this.#go(this.#asker());
  }

  /** Time goes on, and the prices of messages are asked for while their calls are repeated. */
  async askWithFaults(): Promise<void> {
    const { random } = this.#world;
    if (!this.#families.some(isLate)) return;
    for (let rounds = random.between(1, 3); rounds > 0 && this.#isWaiting(); rounds--) {
      this.#world.jumpSome([61_000, 120_000, 3 * HOUR_MS, 20 * HOUR_MS]);
      this.#askBesideCalls();
      await this.#world.run();
    }
  }

  /** The same when nothing fails any more, until every price is known or never will be. */
  async askToTheEnd(): Promise<void> {
    for (const roundMs of LATE_ROUNDS_MS) {
      if (!this.#isWaiting()) return;
      this.#world.jump(roundMs);
      this.#askBesideCalls();
      await this.#world.run();
    }
    if (this.#isWaiting()) this.#world.broke(3, "a late price is not asked for, however long it is due");
  }

  #isWaiting(): boolean {
    return [...this.#state.calls.values()].some(({ latePrice }) => latePrice !== null);
  }

  #askBesideCalls(): void {
    const { random } = this.#world;
    for (let runs = random.between(1, 2); runs > 0; runs--) this.#go(this.#ask());
    for (const { family, intention } of this.#intentions)
      if (isLate(family) && intention.idempotencyKey !== null && random.chance(0.2))
        this.#go(this.#call(random.pick(family), intention));
  }

  /** Repeats every call that has an idempotency key, once, when nothing fails any more. */
  repeatAll(): void {
    for (const intention of new Set(this.#intentions.map((meant) => meant.intention))) {
      const family = this.#intentions.find((meant) => meant.intention === intention)?.family ?? [];
      if (intention.idempotencyKey !== null) this.#go(this.#call(this.#world.random.pick(family), intention));
    }
  }

  #go(actor: Promise<unknown>): void {
    actor.catch((error: unknown) =>
      this.#world.broke(6, `an actor of the schedule failed: ${String(error)}`),
    );
  }

  // ---- keys ---------------------------------------------------------------------------------------------------

  /** A root alone, or a root with two children that are called with beside it; now and then below API keys. */
  #makeFamily(): Family {
    const { random } = this.#world;
    const vendor = random.chance(LATE) ? lateVendor.name : "stripe";
    const root = this.#makeKey(vendor, this.#someApiKeys());
    if (random.chance(0.6)) return [root];
    const { chain } = root.policy;
    const children = [this.#makeKey(vendor, chain), this.#makeKey(vendor, chain)];
    return random.chance(0.5) ? children : [root, ...children];
  }

  /** None; or one that is only read, or one that is drawn from, with or without another one above it. */
  #someApiKeys(): readonly ChainMember[] {
    const rules = this.#rules;
    if (!rules.chance(0.3)) return [];
    const lowest = this.#makeApiKey(rules.chance(0.6));
    return rules.chance(0.3) ? [this.#makeApiKey(false), lowest] : [lowest];
  }

  /** Its days are UTC days, so they end at other hours than those of its keys. */
  #makeApiKey(isCapped: boolean): ChainMember {
    const rules = this.#rules;
    const keyId = `ak_${rules.text(16)}`;
    const issuedAtMs = daysFromMs(this.#world.nowMs - rules.int(50 * HOUR_MS));
    const daily = this.#cents(rules.between(AMOUNT_MAX, 2 * CAP_MAX));
    const total = rules.chance(0.4) ? this.#cents(rules.between(AMOUNT_MAX, 3 * CAP_MAX)) : UNCAPPED;
    const caps = {
      daily: isCapped ? daily : UNCAPPED,
      total: isCapped ? total : UNCAPPED,
      perCall: UNCAPPED,
    };
    this.#state.putBalance({
      keyId,
      issuedAtMs,
      caps,
      leftByWindow: {},
      leftInTotal: caps.total,
      expiresAtMs: NEVER_MS,
      revokedAtMs: null,
      fenceMs: 0,
      writes: 0,
      minuteCalls: null,
    });
    return { keyId, issuedAtMs, ...(isCapped ? {} : { onlyRead: true }) };
  }

  #makeKey(vendor: string, above: readonly ChainMember[]): HeldKey {
    const { random, nowMs } = this.#world;
    const { keyId, token, secretHash } = makeVaultKey(random.text(16), random.text(32));
    // Days count from the issue: those of a chain end at different hours.
    const member = this.#someMemberOf(keyId, nowMs - random.int(23 * HOUR_MS));
    const { issuedAtMs } = member;
    const caps = this.#someCaps();
    const expiresAtMs =
      nowMs + (random.chance(0.1) ? 2_000 + random.int(60_000) : random.between(20, 200) * HOUR_MS);
    const policy: Policy = {
      keyId,
      secretHash,
      vendor,
      credential: "default",
      allowedEndpoints: null,
      limits: UNLIMITED,
      label: null,
      metadata: {},
      chain: [...above, member],
      issuerId: above.at(-1)?.keyId ?? "api_1",
      issuedAtMs,
      issuedWith: { caps, expiresAtMs },
    };
    const hasRate = member.maxCallsPerMinute !== undefined;
    const balance = fullBalance({ keyId, issuedAtMs, caps, expiresAtMs }, { hasRate });
    this.#state.putBalance(balance);
    this.#state.putPolicy(policy, null);
    this.events.issued.add(keyId);
    return { token, policy };
  }

  /** One with a rate is in the last seconds of a minute, whose end its callers see at different times. */
  #someMemberOf(keyId: string, issuedMs: number): ChainMember {
    const rules = this.#rules;
    const observes = this.#hasRules && rules.chance(0.4);
    const isLimited = this.#hasRules && rules.chance(0.5);
    const maxCallsPerMinute = rules.between(1, 6);
    const intoMinuteMs = (this.#world.nowMs - issuedMs) % MINUTE_MS;
    const issuedAtMs = isLimited
      ? issuedMs - (MINUTE_MS - rules.between(500, 4_000) - intoMinuteMs)
      : issuedMs;
    return {
      keyId,
      issuedAtMs,
      ...(observes && { mode: "observe" }),
      ...(isLimited && { maxCallsPerMinute }),
    };
  }

  #someCaps(): Caps {
    const { random } = this.#world;
    const daily = this.#cents(random.between(AMOUNT_MAX, CAP_MAX));
    const total = random.chance(0.3) ? this.#cents(random.between(AMOUNT_MAX, 2 * CAP_MAX)) : UNCAPPED;
    const perCall = random.chance(0.1) ? this.#cents(AMOUNT_MAX - 1) : UNCAPPED;
    return { daily, total, perCall };
  }

  #cents(cents: number): MicroUsd {
    return fromUsdCents(BigInt(cents));
  }

  // ---- agents -------------------------------------------------------------------------------------------------

  async #agent(family: Family): Promise<void> {
    const { random } = this.#world;
    await this.#pause(20);
    const calls = random.between(1, 3);
    for (let call = 0; call < calls; call++) await this.#meanAndCall(family);
  }

  async #meanAndCall(family: Family): Promise<void> {
    const { random } = this.#world;
    const key = random.pick(family);
    const intention = this.#repeatedIntention(family) ?? this.#someIntention(family);
    this.#intentions.push({ family, intention });
    const other = () => (random.chance(0.3) ? random.pick(family) : key);
    if (random.chance(0.25)) {
      // The client gave up waiting, or two of it do the same.
      const twice = random.between(2, 3);
      await Promise.all(Array.from({ length: twice }, () => this.#call(other(), intention)));
    }
    const tries = random.between(1, 4);
    for (let attempt = 0; attempt < tries; attempt++) {
      const result = await this.#call(other(), intention);
      const succeeded = result?.kind === "forwarded" && result.reply.status < 400;
      if (succeeded && random.chance(0.7)) return;
      await this.#pause(6);
    }
  }

  /** What another agent of the family means too, sometimes. */
  #repeatedIntention(family: Family): Intention | undefined {
    const known = this.#intentions.filter((meant) => meant.family === family);
    return known.length > 0 && this.#world.random.chance(0.35)
      ? this.#world.random.pick(known).intention
      : undefined;
  }

  #someIntention(family: Family): Intention {
    const { random, nowMs } = this.#world;
    const amount = `${random.between(1, AMOUNT_MAX)}`;
    const idempotencyKey = random.chance(isLate(family) ? 0.4 : 0.15)
      ? null
      : (this.#sharedKey ?? `k${++this.#names}`);
    const post = (path: string, fields: Record<string, string> = {}): Intention => ({
      method: "POST",
      path,
      fields,
      idempotencyKey,
      meantMs: nowMs,
    });
    if (isLate(family)) return post("v1/messages", { amount });
    const intents = this.#vendor.books.intents();
    if (intents.length > 0 && random.chance(0.5)) {
      const { id, amount: now } = random.pick(intents);
      const path = `v1/payment_intents/${id}`;
      const higher = `${now + random.between(-1, 3)}`;
      switch (random.int(6)) {
        case 0:
          return post(path, { amount: higher });
        case 1:
          return post(`${path}/confirm`);
        case 2:
          return post(`${path}/capture`);
        case 3:
          return post(`${path}/increment_authorization`, { amount: higher });
        case 4:
          return post(`${path}/cancel`);
        default:
          return post(path, { description: "x" });
      }
    }
    const money = { amount, currency: "usd" };
    switch (random.int(7)) {
      case 0:
        return {
          method: "GET",
          path: "v1/payment_intents",
          fields: {},
          idempotencyKey: null,
          meantMs: nowMs,
        };
      case 1:
        return post("v1/refunds", { charge: this.#someCharge(), amount });
      case 2:
      case 3:
        return post("v1/charges", { ...money, source: "tok_visa" });
      case 4:
        return post("v1/payment_intents", { ...money, confirm: "true", payment_method: "pm_1" });
      case 5:
        return post("v1/payment_intents", { ...money, capture_method: "manual" });
      default:
        return post("v1/payment_intents", money);
    }
  }

  /** One that this root has counted, or another. */
  #someCharge(): string {
    const charges = [...this.#vendor.books.objects.values()].filter(({ kind }) => kind === "charge");
    return charges.length > 0 && this.#world.random.chance(0.7)
      ? this.#world.random.pick(charges).id
      : "ch_0";
  }

  /** One request, handled by a process of its own. Null when the process died. */
  async #call(key: HeldKey, intention: Intention): Promise<ProxyResult | null> {
    await this.#pause(3);
    const { method, path, idempotencyKey, meantMs } = intention;
    const isTooLate = this.#world.nowMs - meantMs > CREATION_REPEATED_MS_MAX;
    if (isTooLate && idempotencyKey !== null && NOT_REPEATED_LATE.includes(path)) return null;
    const number = ++this.#names;
    return this.#world.spawn(`p${number}`, true, async (process) => {
      this.#checks.begins(process, key.policy, this.events.revoked);
      const keyText = idempotencyKey === null ? "" : ` with key ${idempotencyKey}`;
      this.#world.say(
        `${process.name}: begins ${method} ${path} ${new URLSearchParams(intention.fields)}${keyText} for ${key.policy.keyId.slice(0, 8)}`,
      );
      const vault = new FaultyVault(this.#world, process, this.#state);
      const result = await proxyCall(this.#request(key, intention, process), this.#ports(process, vault));
      this.decisions.push({ process, result });
      const told =
        result.kind === "denied" ? `denied ${result.problem.code}` : `answered ${result.reply.status}`;
      this.#world.say(`${process.name}: ${told}`);
      return result;
    });
  }

  #request(
    key: HeldKey,
    { method, path, fields, idempotencyKey }: Intention,
    process: Process,
  ): ProxyRequest {
    const startedAtMs = this.#world.clockOf(process).now();
    const body = method === "POST" ? new URLSearchParams(fields).toString() : "";
    return {
      requestId: process.name,
      token: key.token,
      vendorName: key.policy.vendor,
      method,
      rawPath: path,
      query: {},
      headers: {
        ...(method === "POST" ? FORM : {}),
        ...(idempotencyKey === null ? {} : { "idempotency-key": [idempotencyKey] }),
      },
      body: new TextEncoder().encode(body),
      sourceIp: null,
      startedAtMs,
      deadlineMs: startedAtMs + INVOCATION_MS,
    };
  }

  #ports(process: Process, vault: FaultyVault): ProxyPorts {
    const secret = this.#vendor.secret;
    return {
      vendors: VENDORS,
      vault,
      credentials: {
        read: async ({ fresh }) => (fresh ? this.#vendor.secret : secret),
        howToSet: () => "set it",
      },
      http: this.#vendor.httpOf(process),
      spending: this.#spending,
      clock: this.#world.clockOf(process),
      ids: this.#idsOf(process),
      destinationOf: ({ origins }, { path }) => ({ origin: origins.main, path }),
      rateCard: DEFAULT_RATE_CARD,
      warn: (message) => this.#world.say(`${process.name}: warns that ${message}`),
    };
  }

  /** The first id that a process makes is that of its attempt. */
  #idsOf(process: Process): Ids {
    return {
      random: (length) => {
        const text = this.#world.random.text(length);
        if (process.attemptId === null) {
          process.attemptId = `att_${text}`;
          this.#world.say(`${process.name} is ${process.attemptId}`);
        }
        return text;
      },
    };
  }

  // ---- late prices --------------------------------------------------------------------------------------------

  async #asker(): Promise<void> {
    await this.#pause(150);
    if (this.#world.random.chance(0.3)) this.#world.jump(this.#world.random.between(61, 120) * 1000);
    await this.#ask();
  }

  /** One run of the schedule that asks for late prices. */
  async #ask(): Promise<void> {
    const { random, ids } = this.#world;
    await this.#pause(10);
    const runMs = random.pick(RUNS_MS);
    await this.#world.spawn(`late${++this.#names}`, false, async (process) => {
      const ports = this.#ports(process, new FaultyVault(this.#world, process, this.#state));
      this.#world.say(`${process.name}: begins to ask for late prices`);
      return settleLatePrices(ports.clock.now() + runMs, { ...ports, ids }).catch((error: unknown) =>
        this.#world.say(`${process.name}: ${String(error)}`),
      );
    });
  }

  // ---- operators ----------------------------------------------------------------------------------------------

  #manage<T>(
    what: string,
    run: (
      ports: Parameters<typeof revokeKey>[2] & { readonly vault: FaultyVault; readonly ids: Ids },
    ) => Promise<T>,
  ): Promise<T | null> {
    return this.#world.spawn(`${what}${++this.#names}`, false, async (process) => {
      const vault = new FaultyVault(this.#world, process, this.#state);
      const clock = this.#world.clockOf(process);
      return run({ vault, spending: this.#spending, clock, ids: this.#world.ids }).catch((error: unknown) => {
        this.#world.say(`${process.name}: ${String(error)}`);
        return null as T;
      });
    });
  }

  async #revoker(): Promise<void> {
    await this.#pause(150);
    const { keyId } = this.#someMember();
    const done = await this.#manage<unknown>("revoker", (ports) =>
      isApiKeyId(keyId)
        ? ports.vault.balances.revoke({ keyId, by: ADMIN.id, nowMs: ports.clock.now() })
        : revokeKey(keyId, ADMIN, ports),
    );
    if (done === null) return;
    this.events.revoked.add(keyId);
    this.#world.say(`${keyId} is revoked for certain`);
  }

  async #changer(): Promise<void> {
    const { random } = this.#world;
    const changes = random.between(1, 3);
    for (let change = 0; change < changes; change++) {
      await this.#pause(40);
      const { keyId } = this.#someMember(isVaultKey);
      const caps = { daily: this.#cents(random.between(1, CAP_MAX + 4)) };
      const expiresInS = random.chance(0.3) ? random.between(1, 100_000) : undefined;
      const done = await this.#manage("changer", (ports) =>
        changeKey(keyId, { caps, expiresInS }, ADMIN, ports),
      );
      if (done !== null) this.events.changed++;
    }
  }

  async #issuer(): Promise<void> {
    const request: KeyRequest = {
      vendor: "stripe",
      credential: "default",
      caps: this.#someCaps(),
      allowedEndpoints: null,
      limits: UNLIMITED,
      mode: "enforce",
      maxCallsPerMinute: null,
      expiresInS: 3_600,
      label: "run/1",
      metadata: {},
    };
    const issue = async () => {
      await this.#pause(20);
      const issued = await this.#manage("issuer", (ports) =>
        issueKey(request, ISSUER, "request-1", { ...ports, recipientsOf: () => () => false }),
      );
      if (issued === null) return;
      this.events.issued.add(issued.policy.keyId);
      const key = { token: issued.token, policy: issued.policy };
      await this.#call(key, this.#someIntention([key]));
    };
    await Promise.all([issue(), issue()]);
  }

  /** Any key of any chain, roots that nobody calls with included. */
  #someMember(isMeant: (member: ChainMember) => boolean = () => true): ChainMember {
    const members = this.#families.flat().flatMap(({ policy }) => policy.chain);
    return this.#world.random.pick(members.filter(isMeant));
  }

  async #pause(stepsMax: number): Promise<void> {
    const steps = this.#world.random.int(stepsMax + 1);
    for (let step = 0; step < steps; step++) await this.#world.step(null, "waits", () => {});
  }
}
