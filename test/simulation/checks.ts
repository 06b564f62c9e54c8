import { CORRECTIONS_KEPT } from "../../lambda/app/proxy/send-corrections.ts";
import { type Balance, UNCAPPED, windowAt } from "../../lambda/domain/balance.ts";
import type { Attempt, CallRecord, KeyWindow } from "../../lambda/domain/call/record.ts";
import {
  fromUsdCents,
  type MicroUsd,
  minus,
  NOTHING,
  plus,
  smaller,
  usdText,
} from "../../lambda/domain/money.ts";
import type { ChainMember, Policy } from "../../lambda/domain/vault-key.ts";
import { countedInTotal, countedInWindow, type VaultState } from "../support/memory-vault.ts";
import { Amounts, History, overrunOf, paid } from "./history.ts";
import type { Sent } from "./sent.ts";
import type { Demand, SimulatedVendor } from "./vendor.ts";
import { type Process, SKEW_MS_MAX, type World } from "./world.ts";

/** A price is asked for at least so long after the end of what it is for. */
const ASKED_FOR_MS_MIN = 7 * 24 * 3_600_000;

/** As in lambda/app/resolve/resolve-calls.ts, less the hours that pass while everything is finished. */
const UNWRITTEN_MS_MAX = 24 * 3_600_000;

/** What is known of a request besides what the product writes of it. */
export interface Begun {
  readonly policy: Policy;
  /** Keys of its chain whose revocation was acknowledged before it began. */
  readonly revoked: readonly string[];
  /** Keys of its chain that had expired by every clock, with the expiry that they had. */
  readonly expired: ReadonlyMap<string, number>;
  readonly leaseMs: number;
}

/**
 * Promises 1 to 5 and the rates of keys, checked against the vendor's own books whenever something was written or went under way.
 *
 * Nothing here reads what the product concluded of an answer. What it wrote of an attempt says only where its
 * reservation has to be; what it costs is told by the vendor.
 */
export class Checks {
  readonly history: History;
  /** By process. */
  readonly begun = new Map<Process, Begun>();
  /** The highest caps that each key ever had. */
  readonly #highest = new Map<string, { daily: MicroUsd; total: MicroUsd }>();
  readonly #world: World;
  readonly #state: VaultState;
  readonly #vendor: SimulatedVendor;
  /** Corrections that were taken off their record. */
  readonly #forgotten = new Set<string>();
  /** When each write of a balance was made. */
  readonly #writtenMs: number[] = [];
  #seen = "";

  constructor(world: World, state: VaultState, vendor: SimulatedVendor) {
    this.#world = world;
    this.#state = state;
    this.#vendor = vendor;
    this.history = new History(state);
    vendor.onSend = (sent) => this.#leaves(sent);
    vendor.onBegin = (sent) => this.#begins(sent);
    world.afterStep(() => this.run());
  }

  /** A request is about to be handled by `process`. */
  begins(process: Process, policy: Policy, revoked: ReadonlySet<string>): void {
    const keyIds = policy.chain.map(({ keyId }) => keyId);
    const expired = new Map<string, number>();
    for (const keyId of keyIds) {
      const expiresAtMs = this.#state.balances.get(keyId)?.expiresAtMs ?? 0;
      if (expiresAtMs + SKEW_MS_MAX < this.#world.nowMs) expired.set(keyId, expiresAtMs);
    }
    const gone = keyIds.filter((keyId) => revoked.has(keyId));
    this.begun.set(process, { policy, revoked: gone, expired, leaseMs: 30_000 });
  }

  run(): void {
    const now = `${this.#state.writes} ${this.#vendor.changes}`;
    if (now === this.#seen) return;
    this.#seen = now;
    while (this.#writtenMs.length < this.#state.balanceWrites.length) this.#writtenMs.push(this.#world.nowMs);
    this.history.follow((before, after) => this.#recordChanged(before, after));
    for (const { keyId, caps } of this.#state.balances.values()) {
      const { daily, total } = this.#highest.get(keyId) ?? { daily: NOTHING, total: NOTHING };
      this.#highest.set(keyId, {
        daily: caps.daily > daily ? caps.daily : daily,
        total: caps.total > total ? caps.total : total,
      });
    }
    this.#booksBalance();
    this.#moneyIsCounted();
    this.#ratesHold();
  }

  /** Promise 2, and 5: at the moment in which a process lets go of the first byte. */
  #leaves(sent: Sent): void {
    this.history.follow((before, after) => this.#recordChanged(before, after));
    const begun = this.begun.get(sent.process);
    if (begun === undefined) return;
    const call = sent.command.kind === "free" ? "a free call" : "a paid call";
    const [revoked] = begun.revoked;
    if (revoked !== undefined)
      this.#world.broke(
        5,
        `${call} of ${sent.process.name} leaves though ${revoked} was revoked before it began`,
      );
    for (const [keyId, expiresAtMs] of begun.expired) {
      if (this.#state.balances.get(keyId)?.expiresAtMs === expiresAtMs)
        this.#world.broke(
          5,
          `${call} of ${sent.process.name} leaves though ${keyId} had expired before it began`,
        );
    }
    if (sent.command.kind !== "free" && !this.#isReserved(sent, true))
      this.#world.broke(2, `${call} of ${sent.process.name} leaves and no reservation of it is durable`);
    this.#isCounted(sent, begun.policy);
  }

  /** A rate: every key of its chain that has one has counted the call before it leaves. */
  #isCounted({ attemptId, process }: Sent, { chain }: Policy): void {
    for (const { keyId, maxCallsPerMinute } of chain) {
      if (maxCallsPerMinute === undefined || this.#mayHaveEnded(keyId)) continue;
      const isCounted = this.#state.countWrites.some(
        (write) => write.keyId === keyId && write.attemptId === attemptId,
      );
      if (!isCounted)
        this.#world.broke(0, `a call of ${process.name} leaves and ${keyId} has not counted it`);
    }
  }

  /** Such a key counts nothing any more: whether its call may leave is for promise 5. */
  #mayHaveEnded(keyId: string): boolean {
    const balance = this.#state.balances.get(keyId);
    return (
      balance === undefined ||
      balance.revokedAtMs !== null ||
      balance.expiresAtMs < this.#world.nowMs + SKEW_MS_MAX
    );
  }

  /** A rate: no minute of a key that enforces it has more calls. A call whose count was sent again is one. */
  #ratesHold(): void {
    for (const { keyId } of this.#state.balances.values()) {
      const member = this.#memberOf(keyId);
      if (member?.maxCallsPerMinute === undefined || member.mode === "observe") continue;
      const { maxCallsPerMinute: max } = member;
      const calls = new Map<number, Set<string | null>>();
      for (const write of this.#state.countWrites) {
        if (write.keyId !== keyId) continue;
        calls.set(write.minute, (calls.get(write.minute) ?? new Set()).add(write.attemptId));
      }
      for (const [minute, attempts] of calls)
        if (attempts.size > max)
          this.#world.broke(
            0,
            `${keyId} has ${attempts.size} calls in its minute ${minute}, its rate is ${max}`,
          );
    }
  }

  #memberOf(keyId: string): ChainMember | undefined {
    return this.#state.policies.get(keyId)?.chain.find((member) => member.keyId === keyId);
  }

  /** Promise 2, once more when the vendor begins to execute: it may be long after the process gave up. */
  #begins(sent: Sent): void {
    this.history.follow((before, after) => this.#recordChanged(before, after));
    if (!this.#isReserved(sent, false))
      this.#world.broke(
        2,
        `the vendor executes a call of ${sent.process.name} and no reservation of it is durable`,
      );
  }

  /**
   * Its own draws are there, on its whole chain; or it joined an attempt whose draws are. What was sent before may
   * be executed for another attempt of the same call, whose draws are there then.
   */
  #isReserved({ attemptId, process }: Sent, isLeaving: boolean): boolean {
    const chain = this.begun.get(process)?.policy.chain ?? [];
    const keyIds = chain.filter(({ onlyRead }) => onlyRead !== true).map(({ keyId }) => keyId);
    const known = this.history.attempt(attemptId);
    if (known === undefined || (isLeaving && known.attempt.kind === "own"))
      return this.history.isDrawn(attemptId, keyIds);
    const candidates = this.history.attemptsOn(known.recordId).filter(({ kind, state }) => {
      return kind === "own" && (state === "open" || state === "unresolved" || state === "settled");
    });
    const usable =
      known.attempt.kind === "own" ? candidates : candidates.filter(({ state }) => state !== "open");
    return usable.some(({ attemptId: holder, windows }) =>
      this.history.isDrawn(
        holder,
        windows.map(({ keyId }) => keyId),
      ),
    );
  }

  #recordChanged(before: CallRecord | null, after: CallRecord): void {
    const settled = Object.values(after.attempts).filter(
      ({ kind, state }) => kind === "own" && state === "settled",
    );
    if (settled.length > 1) this.#world.broke(4, `the call ${after.callId} is settled twice`);
    this.#confirmed(before, after);
    for (const attempt of Object.values(after.attempts)) {
      const was = before?.attempts[attempt.attemptId];
      if (was === undefined && attempt.kind === "own") this.#claimed(before, after, attempt);
      if (was?.state !== "denied" && attempt.state === "denied") this.#denied(after, attempt);
      if (was !== undefined && was.outcome !== null && attempt.outcome === null)
        this.#world.broke(
          6,
          `the attempt ${attempt.attemptId} was ${was.state} and is ${attempt.state} again`,
        );
    }
  }

  /** Promise 3: a correction is forgotten only once it is on the balance; and then for good, or records would grow. */
  #confirmed(before: CallRecord | null, after: CallRecord): void {
    for (const opId of Object.keys(before?.corrections ?? {})) {
      if (opId in after.corrections || this.#isApplied(opId) || this.#isDecidedAgain(before, after, opId))
        continue;
      this.#world.broke(3, `${after.callId} forgets the correction ${opId}, which has not landed`);
    }
    for (const opId of Object.keys(before?.corrections ?? {}))
      if (!(opId in after.corrections)) this.#forgotten.add(opId);
    const back = Object.keys(after.corrections).find((opId) => this.#forgotten.has(opId));
    if (back !== undefined)
      this.#world.broke(6, `${after.callId} has the correction ${back} again, which was taken off`);
  }

  /** The resolver sends what did not land under another name, which the same write decides. */
  #isDecidedAgain(before: CallRecord | null, after: CallRecord, opId: string): boolean {
    const gone = before?.corrections[opId];
    return Object.entries(after.corrections).some(
      ([other, { keyId, window, amount }]) =>
        !(other in (before?.corrections ?? {})) &&
        keyId === gone?.keyId &&
        window === gone.window &&
        amount === gone.amount,
    );
  }

  /** After the resolver, when nothing more happens: nothing is open, and a balance lacks what its records say, to the cent. */
  atRest(): void {
    this.history.follow((before, after) => this.#recordChanged(before, after));
    this.#nothingIsOpen();
    const { due } = this.history.expected();
    for (const balance of this.#state.balances.values()) {
      const { keyId } = balance;
      for (const window of openWindows(balance, this.#world.nowMs)) {
        this.#compare(
          `at rest ${keyId}, window ${window}`,
          countedInWindow(balance, window),
          due.in({ keyId, window }),
        );
      }
      this.#compare(`at rest ${keyId}, in total`, countedInTotal(balance), due.inTotal(keyId));
    }
  }

  #nothingIsOpen(): void {
    for (const known of this.history.attempts.values()) {
      for (const { recordId, attempt } of known) {
        const { attemptId, kind, state, ambiguous, windows } = attempt;
        // One whose claim was not acknowledged was denied on a record of its own: it drew nothing.
        if (state === "open" && known.length === 1) this.#world.broke(3, `${attemptId} stays open`);
        if (ambiguous.length > 0) this.#world.broke(3, `draws of ${attemptId} stay ambiguous`);
        const keyIds = windows.map(({ keyId }) => keyId);
        const record = this.history.records.get(recordId);
        if (kind === "own" && state === "unresolved" && record?.payingAttemptId != null)
          this.#world.broke(4, `${attemptId} is held, and ${record.payingAttemptId} pays for its call`);
        if (kind === "own" && state === "unresolved" && !this.history.isDrawn(attemptId, keyIds))
          this.#world.broke(3, `${attemptId} is unresolved, and lacks a draw`);
      }
    }
    for (const [index, { kind, id, keyId }] of this.#state.balanceWrites.entries())
      if (kind === "draw" && this.history.attempt(id) === undefined && this.#isYoung(index))
        this.#world.broke(3, `a draw of ${id} on ${keyId} is held, and nobody knows of it`);
  }

  /** Of an older draw without a record nobody can say whether its record was forgotten: it stays held. */
  #isYoung(index: number): boolean {
    return this.#world.nowMs - (this.#writtenMs[index] ?? 0) < UNWRITTEN_MS_MAX;
  }

  atEnd(): void {
    this.#finalPricesAreCounted();
    this.#correctionsWereSent();
    this.#recordsAreSmall();
  }

  /** What came of late prices, for what a schedule reached. */
  *latePrices(): Generator<string> {
    for (const { attempts, corrections } of this.history.records.values()) {
      for (const { lateAtMs, overrun, outcome } of Object.values(attempts)) {
        if (lateAtMs === null) continue;
        yield outcome?.reason ?? "late price";
        if (overrun) yield "late price above what was reserved";
      }
      for (const [opId, { amount }] of Object.entries(corrections))
        if (opId.startsWith("late_")) yield `late price ${amount > 0n ? "below" : "above"} the estimate`;
    }
  }

  /** Promises 3 and 4: a settled message costs what its vendor says in the end, or its estimate where that is nothing. */
  #finalPricesAreCounted(): void {
    for (const { callId, objectId, payingAttemptId, latePrice } of this.history.records.values()) {
      const late = this.#vendor.books.objects.get(objectId ?? "")?.late;
      const attempt = this.history.attempt(payingAttemptId ?? "")?.attempt;
      if (late == null || attempt === undefined) continue;
      const isGivenUp = attempt.outcome?.reason === "price_never_told";
      const wanted = fromUsdCents(BigInt(isGivenUp ? late.estimate : late.final));
      if (latePrice !== null) this.#world.broke(3, `${callId} waits for its price for ever`);
      if (isGivenUp && this.#world.nowMs - late.endedAtMs < ASKED_FOR_MS_MIN)
        this.#world.broke(3, `${callId} keeps its estimate though its price may still come`);
      if (attempt.cost !== wanted)
        this.#world.broke(
          attempt.cost < wanted ? 3 : 4,
          `${callId} costs ${usd(attempt.cost)}, its vendor says ${usd(wanted)}`,
        );
    }
  }

  /** Promise 4: what goes back is sent by whoever decided it, also where the reply of that write was lost. */
  #correctionsWereSent(): void {
    for (const { callId, corrections } of this.history.records.values()) {
      const omitted = Object.keys(corrections).find((opId) => this.#world.corrections.isOmitted(opId));
      if (omitted !== undefined)
        this.#world.broke(4, `${callId} decided the correction ${omitted}, which its writer never sent`);
    }
  }

  /** A record keeps few of the corrections that landed, unless writes were lost: so it stays small in a loop. */
  #recordsAreSmall(): void {
    if (this.#world.ledgerFaults > 0) return;
    for (const { callId, corrections } of this.#state.calls.values()) {
      const landed = Object.keys(corrections).filter((opId) => this.#isApplied(opId));
      if (landed.length > CORRECTIONS_KEPT)
        this.#world.broke(6, `the record of ${callId} keeps ${landed.length} corrections that landed`);
    }
  }

  #isApplied(opId: string): boolean {
    return this.history.isApplied(opId);
  }

  /** Promise 4: a call that holds budget, has paid or is in flight gets no second attempt with a budget of its own. */
  #claimed(before: CallRecord | null, after: CallRecord, attempt: Attempt): void {
    if (before !== null && (before.status === "unresolved" || before.status === "settled"))
      this.#world.broke(
        4,
        `the call ${after.callId} is ${before.status} and ${attempt.attemptId} takes budget anew`,
      );
    const first = Object.values(before?.attempts ?? {}).find(
      ({ attemptId, kind, state }) => kind === "own" && state === "open" && this.#isInFlight(attemptId),
    );
    if (first !== undefined)
      this.#world.broke(
        4,
        `${attempt.attemptId} takes a second budget while ${first.attemptId} is in flight`,
      );
  }

  /** Promise 4: a retry of a call that holds budget is never told that there is none; but a call may be too large. */
  #denied(record: CallRecord, attempt: Attempt): void {
    if (attempt.outcome?.reason === "rate_limited") this.#limited(attempt);
    if (attempt.outcome?.reason !== "spend_cap_exceeded") return;
    const perCall = attempt.windows.map(
      ({ keyId }) => this.#state.balances.get(keyId)?.caps.perCall ?? NOTHING,
    );
    if (perCall.some((cap) => cap < attempt.amount)) return;
    const holder = Object.values(record.attempts).find(
      ({ attemptId, kind, state, windows }) =>
        attemptId !== attempt.attemptId &&
        kind === "own" &&
        (state === "settled" ||
          ((state === "unresolved" || state === "open") &&
            this.history.isDrawn(
              attemptId,
              windows.map(({ keyId }) => keyId),
            ))),
    );
    if (holder !== undefined)
      this.#world.broke(
        4,
        `a retry is denied for lack of budget, which ${holder.attemptId} holds for its call`,
      );
  }

  /** A rate: nobody is refused by it before a minute is full. */
  #limited({ attemptId, request }: Attempt): void {
    const chain = this.#state.policies.get(request.keyId)?.chain ?? [];
    const isFull = ({ keyId, maxCallsPerMinute, mode }: ChainMember) => {
      if (maxCallsPerMinute === undefined || mode === "observe") return false;
      const calls = new Map<number, number>();
      for (const write of this.#state.countWrites)
        if (write.keyId === keyId) calls.set(write.minute, (calls.get(write.minute) ?? 0) + 1);
      return [...calls.values()].some((count) => count >= maxCallsPerMinute);
    };
    if (!chain.some(isFull))
      this.#world.broke(0, `${attemptId} is refused for a rate, and no minute of its keys is full`);
  }

  #isInFlight(attemptId: string): boolean {
    for (const [process, { leaseMs }] of this.begun) {
      if (process.attemptId !== attemptId) continue;
      return (
        !process.dead && !process.done && this.#world.nowMs < process.startedMs + leaseMs - 3 * SKEW_MS_MAX
      );
    }
    return false;
  }

  /**
   * Promises 3 and 4: a balance counts what is held and paid, to the cent; more only by what is known to be lost on
   * its way.
   */
  #booksBalance(): void {
    const { due, undelivered, leaked } = this.history.expected();
    for (const balance of this.#state.balances.values()) {
      const { keyId } = balance;
      for (const place of openWindows(balance, this.#world.nowMs).map((window) => ({ keyId, window }))) {
        const counted = countedInWindow(balance, place.window);
        const most = plus(plus(due.in(place), undelivered.in(place)), leaked.in(place));
        this.#compare(`${keyId}, window ${place.window}`, counted, most);
      }
      const most = plus(plus(due.inTotal(keyId), undelivered.inTotal(keyId)), leaked.inTotal(keyId));
      this.#compare(`${keyId}, in total`, countedInTotal(balance), most);
    }
  }

  #compare(place: string, counted: MicroUsd, wanted: MicroUsd): void {
    if (counted < wanted)
      this.#world.broke(3, `${place}: ${usd(wanted)} are held or paid, ${usd(counted)} are counted`);
    if (counted > wanted)
      this.#world.broke(4, `${place}: ${usd(counted)} are counted for ${usd(wanted)} that are held or paid`);
  }

  /**
   * Promises 1 and 3: what the vendor has charged, and what it may still charge for requests under way, is counted, in
   * the windows of the reservations, and within the caps.
   */
  #moneyIsCounted(): void {
    const charged = new Amounts();
    const supplies = new Map<string, Supply>();
    // What only one call can stand for comes first: the rest takes what is left.
    const demands = this.#vendor
      .demands()
      .map((demand) => ({ demand, calls: new Set(this.#recordsOf(demand)).size }))
      .sort((a, b) => a.calls - b.calls);
    for (const { demand } of demands) this.#assign(demand, charged, supplies);
    for (const balance of this.#state.balances.values()) {
      const { keyId } = balance;
      // A key that only observes counts what it spends, and keeps to no cap.
      const highest = this.#memberOf(keyId)?.mode === "observe" ? undefined : this.#highest.get(keyId);
      for (const window of openWindows(balance, this.#world.nowMs)) {
        const amount = charged.in({ keyId, window });
        const counted = countedInWindow(balance, window);
        if (amount > counted)
          this.#world.broke(1, `${keyId}, window ${window}: ${usd(amount)} charged, ${usd(counted)} counted`);
        if (highest !== undefined && amount > highest.daily)
          this.#world.broke(
            1,
            `${keyId}, window ${window}: ${usd(amount)} charged, the cap is ${usd(highest.daily)}`,
          );
      }
      const amount = charged.inTotal(keyId);
      if (amount > countedInTotal(balance))
        this.#world.broke(1, `${keyId}: ${usd(amount)} charged, ${usd(countedInTotal(balance))} counted`);
      if (highest !== undefined && highest.total < UNCAPPED && amount > highest.total)
        this.#world.broke(1, `${keyId}: ${usd(amount)} charged, the total cap is ${usd(highest.total)}`);
    }
  }

  /** Finds the reservations that stand for an object of the vendor; each stands for one object only. */
  #assign(demand: Demand, charged: Amounts, supplies: Map<string, Supply>): void {
    let left = fromUsdCents(BigInt(demand.cents));
    for (const supply of this.#suppliesFor(demand, supplies)) {
      const part = smaller(left, supply.left);
      if (part <= 0n) continue;
      supply.left = minus(supply.left, part);
      left = minus(left, part);
      for (const place of supply.windows) charged.add(place, part);
    }
    if (left <= 0n) return;
    const isBooked = fromUsdCents(BigInt(demand.cents - demand.bookedCents)) < left;
    const whole = `${usd(left)} of ${usd(fromUsdCents(BigInt(demand.cents)))} of ${demand.name}`;
    if (isBooked) this.#world.broke(1, `${whole} were charged and no reservation stands for them`);
    else this.#world.broke(3, `${whole} may still be charged and no reservation stands for them`);
  }

  /** In the order of its causes: of each call what it has paid, then what attempts hold that were forwarded. */
  #suppliesFor(demand: Demand, known: Map<string, Supply>): readonly Supply[] {
    const causes = new Set(demand.causes.map(({ attemptId }) => attemptId));
    const rank = (attempt: Attempt) =>
      attempt.state === "settled" ? 0 : causes.has(attempt.attemptId) ? 1 : 2;
    const supplies = [...new Set(this.#recordsOf(demand))].flatMap((recordId) =>
      this.history
        .attemptsOn(recordId)
        .filter((attempt) => amountHeld(attempt) > 0n && this.#isHeld(attempt))
        .sort((a, b) => rank(a) - rank(b))
        .map((attempt) => ({ id: attempt.attemptId, windows: attempt.windows, left: amountHeld(attempt) })),
    );
    const unwritten = [...causes]
      .filter((attemptId) => this.history.attempt(attemptId) === undefined)
      .flatMap((attemptId) => {
        const windows = this.history.draws(attemptId);
        const [first] = windows;
        return first === undefined ? [] : [{ id: attemptId, windows, left: first.amount }];
      });
    // One that stands for another demand already has that much less left.
    return [...supplies, ...unwritten].map((supply) => {
      const shared = known.get(supply.id) ?? supply;
      known.set(supply.id, shared);
      return shared;
    });
  }

  #recordsOf(demand: Demand): readonly string[] {
    return demand.causes.flatMap(({ attemptId }) => this.history.attempt(attemptId)?.recordId ?? []);
  }

  #isHeld({ kind, attemptId, windows }: Attempt): boolean {
    return (
      kind === "joiner" ||
      this.history.isDrawn(
        attemptId,
        windows.map(({ keyId }) => keyId),
      )
    );
  }
}

interface Supply {
  readonly id: string;
  readonly windows: readonly KeyWindow[];
  left: MicroUsd;
}

/**
 * The windows in which money can still move: this one and the one before. Only a process that slept for days draws from
 * another, which may be forgotten and so full again; it is out of time then, and gives back.
 */
function openWindows({ leftByWindow, issuedAtMs }: Balance, nowMs: number): readonly number[] {
  const current = windowAt(issuedAtMs, nowMs);
  return Object.keys(leftByWindow)
    .map(Number)
    .filter((window) => window >= current - 1);
}

/** What an attempt stands for: the price that it paid, or all that it holds. */
function amountHeld(attempt: Attempt): MicroUsd {
  if (attempt.kind === "joiner") return overrunOf(attempt);
  if (attempt.state === "open" || attempt.state === "unresolved") return attempt.amount;
  return attempt.state === "settled" ? paid(attempt) : NOTHING;
}

const usd = (amount: MicroUsd) => `${usdText(amount)} USD`;
