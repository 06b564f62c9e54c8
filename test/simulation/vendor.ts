import type { OutboundRequest, VendorHttp, VendorReply } from "../../lambda/ports/vendor-http.ts";
import type { Answered, Command, Sent } from "./sent.ts";
import { commandOf, committedBy, type LateTerms, VendorBooks, type VendorObject } from "./vendor-books.ts";
import type { Choice, Process, World } from "./world.ts";

/** Money that the vendor's books hold, or may come to hold from requests that are under way. USD cents. */
export interface Demand {
  readonly name: string;
  readonly cents: number;
  /** The part that is in the books already. */
  readonly bookedCents: number;
  /** The requests that caused it, those first that were executed. */
  readonly causes: readonly Sent[];
}

/** A question about one object, which moves nothing and is no attempt. */
interface Lookup {
  readonly process: Process;
  readonly objectId: string;
  readonly authorization: string;
  readonly timeoutMs: number;
  hear: ((reply: VendorReply) => void) | null;
}

interface StoredKey {
  readonly first: Sent;
  readonly fingerprint: string;
  readonly startedMs: number;
  /** Null while the first request runs. */
  answer: Answered | null;
}

/** More than any cap: what is not asked for shows. USD cents. */
const RAISED_BY_MAX = 40;
const HOUR_MS = 3_600_000;
const FORGOTTEN_AFTER_MS = 24 * HOUR_MS;
/** When the price of a message is known, after the message. */
const PRICED_AFTER_MS = [0, 0, 90_000, 2 * HOUR_MS, 30 * HOUR_MS];
const NEVER_PRICED = 0.03;
/** Some prices are above what was reserved. USD cents. */
const OVERRUN_MAX = 4;

/**
 * A vendor that answers as Stripe does: one execution for each idempotency key, 409 to a request that comes meanwhile,
 * its answer replayed to those that come later, failures included; 429 and 401 before all of this.
 *
 * Between the proxy and it lies a network. So a caller may give up while its request is still to be executed.
 */
export class SimulatedVendor {
  readonly books = new VendorBooks((amount) => this.#someTerms(amount));
  readonly requests: Sent[] = [];
  /** Told of each request that leaves a process, and of each that begins to be executed. */
  onSend: (sent: Sent) => void = () => {};
  onBegin: (sent: Sent) => void = () => {};
  secret = "sk_test_1";
  /** Number of changes, of books or of what is under way. */
  changes = 0;
  readonly #world: World;
  readonly #keys = new Map<string, StoredKey>();
  readonly #lookups: Lookup[] = [];

  constructor(world: World) {
    this.#world = world;
    world.offer(() => this.#choices());
    world.beforeJump(() => this.#finishAll());
  }

  /** The vendor as one process reaches it. */
  httpOf(process: Process): VendorHttp {
    return { send: (request) => this.#send(process, request) };
  }

  /** What the books hold and what is under way may add to them: each is to be counted at any moment. */
  demands(): readonly Demand[] {
    const raised = new Map<string, { cents: number; causes: Sent[] }>();
    const created = new Map<string, Demand>();
    for (const sent of this.requests) {
      if (!this.#mayExecute(sent)) continue;
      const { command } = sent;
      if (command.kind === "create") {
        const name = sent.idempotencyKey ?? `request ${sent.number}`;
        const causes = [...(created.get(name)?.causes ?? []), sent];
        created.set(name, { name, cents: command.amount, bookedCents: 0, causes });
      } else if (command.kind === "change") {
        const object = this.books.objects.get(command.objectId);
        const cents = object === undefined ? 0 : raisedTo(object, command);
        const others = raised.get(command.objectId) ?? { cents: 0, causes: [] };
        const entry = { cents: Math.max(others.cents, cents), causes: [...others.causes, sent] };
        raised.set(command.objectId, entry);
      }
    }
    const booked = [...this.books.objects.values()].map((object): Demand => {
      const bookedCents = committedBy(object);
      const more = raised.get(object.id);
      const cents = Math.max(bookedCents, more?.cents ?? 0);
      const causes = [...object.touchedBy, ...(more?.causes ?? []), ...object.replayedTo];
      return { name: object.id, cents, bookedCents, causes };
    });
    return [...booked, ...created.values()].filter(({ cents }) => cents > 0);
  }

  #executed(first: Sent): readonly VendorObject[] {
    return [...this.books.objects.values()].filter(({ touchedBy }) => touchedBy.includes(first));
  }

  /** Each request is executed at most once more, so of those with one key only the first counts. */
  #mayExecute(sent: Sent): boolean {
    if (sent.state === "executing") return true;
    if (sent.state !== "travelling") return false;
    return sent.idempotencyKey === null || !this.#keys.has(sent.idempotencyKey);
  }

  #send(process: Process, request: OutboundRequest): Promise<VendorReply> {
    const { method, target, headers, body, timeoutMs } = request;
    const asked = /^\/v1\/(?:payment_intents|charges|messages)\/(\w+)$/.exec(target)?.[1];
    if (method === "GET" && asked !== undefined) return this.#ask(process, asked, request);
    const text = new TextDecoder().decode(body);
    const form = new URLSearchParams(text);
    const sent: Sent = {
      number: this.requests.length + 1,
      process,
      attemptId: process.attemptId ?? "",
      command: commandOf(method, target, form),
      form,
      idempotencyKey: method === "POST" ? (headers["idempotency-key"] ?? null) : null,
      fingerprint: `${target} ${text}`,
      authorization: headers["authorization"] ?? "",
      sentMs: this.#world.nowMs,
      timeoutMs,
      state: "travelling",
      reply: null,
      hear: null,
    };
    return new Promise((resolve) => {
      this.#world.say(`${process.name}: sends ${name(sent)}`);
      this.onSend(sent);
      if (this.#world.hits("unreachable")) {
        this.#world.say(`${process.name}: the vendor is unreachable`);
        resolve({ kind: "unreachable", cause: null });
        return;
      }
      sent.hear = resolve;
      this.changes++;
      this.requests.push(sent);
    });
  }

  #ask(process: Process, objectId: string, { headers, timeoutMs }: OutboundRequest): Promise<VendorReply> {
    this.#world.say(`${process.name}: asks for ${objectId}`);
    if (this.#world.hits("unreachable")) return Promise.resolve({ kind: "unreachable", cause: null });
    const authorization = headers["authorization"] ?? "";
    return new Promise((hear) => {
      this.changes++;
      this.#lookups.push({ process, objectId, authorization, timeoutMs, hear });
    });
  }

  /** What the object is now, which it need not be any more when its caller acts on it. */
  #tell(lookup: Lookup, hear: (reply: VendorReply) => void): void {
    lookup.hear = null;
    this.changes++;
    const refusal =
      lookup.authorization !== `Bearer ${this.secret}` ? 401 : this.#world.hits("tooMany") ? 429 : null;
    const found = refusal === null ? this.books.show(lookup.objectId, this.#world.nowMs) : null;
    const status = refusal ?? (found === null ? 404 : 200);
    const body = new TextEncoder().encode(JSON.stringify(status === 200 ? found : {}));
    this.#world.say(`vendor: answers ${status} to ${lookup.process.name}, who asked for ${lookup.objectId}`);
    hear({ kind: "answer", status, headers: {}, rawHeaders: [], body });
  }

  #choices(): readonly Choice[] {
    const choices: Choice[] = [];
    for (const lookup of this.#lookups) {
      if (lookup.process.dead) lookup.hear = null;
      const { hear } = lookup;
      if (hear === null || lookup.process.asleep > 0) continue;
      choices.push({ weight: 10, run: () => this.#tell(lookup, hear) });
      if (this.#world.faults.timeout > 0)
        choices.push({ weight: 10 * this.#world.faults.timeout, run: () => this.#silence(lookup, hear) });
    }
    for (const sent of this.requests) {
      if (sent.process.dead) sent.hear = null;
      if (sent.state === "travelling") choices.push({ weight: 8, run: () => this.#arrive(sent) });
      if (sent.state === "executing") choices.push({ weight: 8, run: () => this.#finish(sent) });
      const { hear } = sent;
      if (hear === null || sent.process.asleep > 0) continue;
      if (sent.reply !== null) choices.push({ weight: 10, run: () => this.#hear(sent, hear) });
      const { timeout, broken } = this.#world.faults;
      const over = sent.state === "lost" && sent.reply === null ? 10 : 10 * timeout;
      if (over > 0) choices.push({ weight: over, run: () => this.#timeOut(sent, hear) });
      if (broken > 0) choices.push({ weight: 3 * broken, run: () => this.#break(sent, hear) });
    }
    if (this.#world.hits("rotate")) choices.push({ weight: 10, run: () => this.#rotate() });
    const still = this.books.intents().filter((object) => isOpen(object) && !this.#isActedOn(object));
    if (still.length > 0 && this.#world.hits("raisedElsewhere"))
      choices.push({ weight: 10, run: () => this.#raiseElsewhere(this.#world.random.pick(still)) });
    return choices;
  }

  /** Somebody has asked what it is and may still act on that: what changes in between is an overrun, by design. */
  #isActedOn({ id }: VendorObject): boolean {
    return (
      this.#lookups.some(({ objectId, process }) => objectId === id && !process.dead && !process.done) ||
      this.requests.some(
        ({ command, state }) =>
          command.kind === "change" &&
          command.objectId === id &&
          (state === "travelling" || state === "executing"),
      )
    );
  }

  #raiseElsewhere(object: VendorObject): void {
    this.changes++;
    this.books.raiseElsewhere(object, this.#world.random.between(1, RAISED_BY_MAX));
    this.#world.say(`the shop raises ${object.id} to ${object.amount}`);
  }

  #arrive(sent: Sent): void {
    this.changes++;
    if (this.#world.hits("requestLost")) {
      sent.state = "lost";
      this.#world.say(`vendor: ${name(sent)} never arrives`);
      return;
    }
    this.#prune();
    const answer = this.#answerAtOnce(sent);
    if (answer !== null) this.#answer(sent, answer);
    else this.#begin(sent);
  }

  /** What is answered without executing anything: refusals before the idempotency layer, and what that layer says. */
  #answerAtOnce(sent: Sent): Answered | null {
    if (sent.authorization !== `Bearer ${this.secret}`) return plain(401);
    if (this.#world.hits("tooMany")) return plain(429);
    const stored = sent.idempotencyKey === null ? undefined : this.#keys.get(sent.idempotencyKey);
    if (stored === undefined) return null;
    if (stored.fingerprint !== sent.fingerprint) return plain(400);
    for (const object of this.#executed(stored.first)) object.replayedTo.push(sent);
    return stored.answer === null ? plain(409) : { ...stored.answer, replayed: true };
  }

  #begin(sent: Sent): void {
    const { idempotencyKey, fingerprint } = sent;
    if (idempotencyKey !== null)
      this.#keys.set(idempotencyKey, {
        first: sent,
        fingerprint,
        startedMs: this.#world.nowMs,
        answer: null,
      });
    sent.state = "executing";
    this.#world.say(`vendor: begins ${name(sent)}`);
    if (sent.command.kind !== "free") this.onBegin(sent);
  }

  #finish(sent: Sent): void {
    this.changes++;
    const before = this.#world.hits("errorBeforeCommit");
    const { status, body, stored } = before
      ? { status: 500, body: {}, stored: true }
      : this.books.execute(sent.command, sent.form, sent, this.#world.hits("decline"));
    const failed = !before && this.#world.hits("errorAfterCommit");
    const answer = { status: failed ? 500 : status, body: JSON.stringify(body), replayed: false };
    const isStored = stored || failed || this.#world.hits("refusalStored");
    if (sent.idempotencyKey !== null) {
      const key = this.#keys.get(sent.idempotencyKey);
      if (isStored && key !== undefined) key.answer = answer;
      else this.#keys.delete(sent.idempotencyKey);
    }
    if (failed) this.#world.say(`vendor: executed ${name(sent)}, then failed`);
    this.#answer(sent, answer);
  }

  #answer(sent: Sent, answer: Answered): void {
    sent.state = "answered";
    sent.reply = answer;
    this.#world.say(
      `vendor: answers ${answer.status}${answer.replayed ? " (replayed)" : ""} to ${name(sent)}`,
    );
  }

  #hear(sent: Sent, hear: (reply: VendorReply) => void): void {
    if (sent.reply === null) return;
    const { status, body, replayed } = sent.reply;
    sent.hear = null;
    const pairs = replayed ? [["Idempotent-Replayed", "true"] as const] : [];
    hear({
      kind: "answer",
      status,
      headers: Object.fromEntries(pairs.map(([field, value]) => [field.toLowerCase(), [value]])),
      rawHeaders: pairs,
      body: new TextEncoder().encode(body),
    });
  }

  #timeOut(sent: Sent, hear: (reply: VendorReply) => void): void {
    sent.hear = null;
    const leftMs = sent.sentMs + sent.timeoutMs - this.#world.nowMs;
    if (leftMs > 0) this.#world.jump(leftMs);
    this.#world.say(`${sent.process.name}: no answer in time`);
    hear({ kind: "timeout" });
  }

  #silence(lookup: Lookup, hear: (reply: VendorReply) => void): void {
    lookup.hear = null;
    this.#world.jump(lookup.timeoutMs);
    this.#world.say(`${lookup.process.name}: no answer in time`);
    hear({ kind: "timeout" });
  }

  #break(sent: Sent, hear: (reply: VendorReply) => void): void {
    sent.hear = null;
    this.#world.say(`${sent.process.name}: the connection broke`);
    hear({ kind: "broken", cause: null });
  }

  #someTerms(amount: number): LateTerms {
    const { random, nowMs } = this.#world;
    const estimate = random.between(1, amount);
    const final = random.pick([
      random.int(estimate + 1),
      random.between(estimate, amount),
      amount + random.between(1, OVERRUN_MAX),
    ]);
    const toldFromMs = random.chance(NEVER_PRICED) ? Infinity : nowMs + random.pick(PRICED_AFTER_MS);
    return { estimate, final, toldFromMs, endedAtMs: nowMs, isTold: false };
  }

  #rotate(): void {
    this.secret = `sk_test_${Number(this.secret.slice(8)) + 1}`;
    this.#world.say("the vendor's secret is rotated");
  }

  /** Forgets a key 24 hours after its first request; not always at once. */
  #prune(): void {
    for (const [key, { startedMs, answer }] of this.#keys) {
      const old = startedMs + FORGOTTEN_AFTER_MS <= this.#world.nowMs;
      if (old && answer !== null && this.#world.random.chance(0.8)) this.#keys.delete(key);
    }
  }

  #finishAll(): void {
    for (const sent of this.requests) {
      if (sent.state === "travelling") this.#arrive(sent);
      if (sent.state === "executing") this.#finish(sent);
    }
  }
}

const isOpen = ({ status }: VendorObject): boolean => status !== "succeeded" && status !== "canceled";

/** What an intent would be about after a change, in cents. */
function raisedTo(object: VendorObject, { verb, amount }: Command & { readonly kind: "change" }): number {
  if (verb === "cancel" || object.status === "succeeded" || object.status === "canceled") return 0;
  if (verb === "update" && object.status !== "requires_payment_method") return 0;
  if (verb === "confirm" || verb === "capture") return object.amount;
  return amount ?? 0;
}

const plain = (status: number): Answered => ({ status, body: "{}", replayed: false });

function name({ number, command, idempotencyKey }: Sent): string {
  const key = idempotencyKey === null ? "" : ` with key ${idempotencyKey}`;
  const what =
    command.kind === "create"
      ? `${command.object} of ${command.amount}`
      : command.kind === "change"
        ? `${command.verb} ${command.objectId}${command.amount === null ? "" : ` to ${command.amount}`}`
        : "a free call";
  return `#${number} ${what}${key}`;
}
