import assert from "node:assert";
import { inItsMinute, type OtherMinute, otherMinute } from "../../lambda/adapters/vault/count-forms.ts";
import {
  afterCorrection,
  afterDraw,
  afterFence,
  type Balance,
  type Correction,
  type CountedCall,
  capStatuses,
  countRefusal,
  type Draw,
  refusalOf,
  windowAt,
} from "../../lambda/domain/balance.ts";
import { claimDecision } from "../../lambda/domain/call/claim.ts";
import { confirmed } from "../../lambda/domain/call/corrections.ts";
import { type CallRecord, newCall, withAttempt } from "../../lambda/domain/call/record.ts";
import { keptUntilMs } from "../../lambda/domain/call/retention.ts";
import { afterCall, type CountForm, fitsForm } from "../../lambda/domain/call-rate.ts";
import type { CountedObject } from "../../lambda/domain/counted-object.ts";
import { type KeyList, type ListedKey, listedKey, listsOf } from "../../lambda/domain/key-list.ts";
import { type MicroUsd, microUsd, minus, NOTHING, plus } from "../../lambda/domain/money.ts";
import type { Stop } from "../../lambda/domain/stop.ts";
import type { StopRecord } from "../../lambda/domain/stop-record.ts";
import { isoTime } from "../../lambda/domain/time.ts";
import type { Policy } from "../../lambda/domain/vault-key.ts";
import type {
  AttemptNote,
  Balances,
  CorrectionResult,
  CountResult,
  DrawResult,
  KeyChange,
  Revocation,
} from "../../lambda/ports/balances.ts";
import type { Calls, Claim, ClaimResult, SaveResult } from "../../lambda/ports/calls.ts";
import type { ListedKeys } from "../../lambda/ports/listed-keys.ts";
import type { ObjectEffect, ObjectName, Objects } from "../../lambda/ports/objects.ts";
import type { Policies } from "../../lambda/ports/policies.ts";
import type { StopRecords, Stops, StopsVault } from "../../lambda/ports/stops.ts";
import type { Vault } from "../../lambda/ports/vault.ts";
import type { VaultChange } from "../../lambda/ports/vault-change.ts";

/** A change of one item, as the stream tells it. Changes of one item are told in their order, those of two in any. */
export interface StoredChange {
  readonly item: string;
  readonly change: VaultChange;
}

/** A write that moved money on a balance: for those who keep books beside it. */
export interface BalanceWrite {
  readonly kind: "draw" | "correction";
  /** The attempt of a draw, the `opId` of a correction. */
  readonly id: string;
  readonly keyId: string;
  readonly window: number;
  readonly amount: MicroUsd;
}

/** A call that was counted in a minute of a key. */
export interface CountWrite {
  readonly keyId: string;
  readonly minute: number;
  /** Null where whoever counted has not said which attempt it was. */
  readonly attemptId: string | null;
}

/**
 * The items of the Vault table in memory: every method is one write or one read, atomic, and never fails by itself.
 *
 * It keeps the contract of `DynamoVault` (test/adapters/vault.contract.ts) by the pure rules of lambda/domain. What
 * happens to a write on its way is not its business: the simulation puts that before it.
 */
export class VaultState {
  readonly changes: StoredChange[] = [];
  readonly balanceWrites: BalanceWrite[] = [];
  readonly countWrites: CountWrite[] = [];
  readonly balances = new Map<string, Balance>();
  readonly policies = new Map<string, Policy>();
  readonly calls = new Map<string, CallRecord>();
  readonly objects = new Map<string, CountedObject>();
  readonly listed = new Map<string, ListedKey>();
  readonly stops = new Map<string, Stop>();
  lastStopsWrite: { readonly by: string; readonly atMs: number } | null = null;
  readonly stopRecords = new Map<string, StopRecord>();
  /** Number of writes so far. */
  writes = 0;
  readonly #lastDraws = new Map<string, (Draw & AttemptNote) | null>();
  readonly #requests = new Map<string, string>();

  /** The draw that is the last write of a balance, or null where another write is. */
  lastDraw(keyId: string): (Draw & AttemptNote) | null {
    return this.#lastDraws.get(keyId) ?? null;
  }

  putBalance(balance: Balance): void {
    if (this.balances.has(balance.keyId)) return;
    this.#setBalance(balance, null);
  }

  /** `expiresAtMs`: of the key as it is from now on. */
  putListed(policy: Policy, expiresAtMs: number): void {
    const listed = listedKey(policy, expiresAtMs);
    const { endsByMs: before = 0 } = this.listed.get(policy.keyId) ?? {};
    this.listed.set(policy.keyId, { ...listed, endsByMs: Math.max(before, listed.endsByMs) });
  }

  /** Keys of a list, newest first. */
  keysOf(list: KeyList): readonly { readonly position: string; readonly key: ListedKey }[] {
    const wanted = JSON.stringify(list);
    return [...this.listed.values()]
      .filter((key) => listsOf(key).some((each) => JSON.stringify(each) === wanted))
      .map((key) => ({ position: `${isoTime(key.issuedAtMs)}#${key.keyId}`, key }))
      .sort((one, other) => (one.position < other.position ? 1 : -1));
  }

  putPolicy(policy: Policy, requestHash: string | null): "created" | { readonly alreadyIssued: string } {
    const issued = requestHash === null ? undefined : this.#requests.get(requestHash);
    if (issued !== undefined && issued !== policy.keyId) return { alreadyIssued: issued };
    if (this.policies.has(policy.keyId)) return "created";
    if (requestHash !== null) this.#requests.set(requestHash, policy.keyId);
    this.policies.set(policy.keyId, policy);
    this.#tell(`POLICY#${policy.keyId}`, { kind: "issued", policy });
    return "created";
  }

  changeKey(before: Balance, { caps, expiresAtMs, by, nowMs }: KeyChange): Balance | null {
    const balance = this.balances.get(before.keyId);
    if (balance === undefined || balance.revokedAtMs !== null) return null;
    const was = before.caps;
    const now = balance.caps;
    if (now.daily !== was.daily || now.total !== was.total || now.perCall !== was.perCall) return null;
    if (balance.expiresAtMs !== before.expiresAtMs) return null;

    const open = Object.keys(before.leftByWindow).map(Number);
    const current = windowAt(before.issuedAtMs, nowMs);
    if (open.some((window) => balance.leftByWindow[window] === undefined)) return null;
    const unopened = [current - 1, current, current + 1].filter((window) => !open.includes(window));
    if (unopened.some((window) => balance.leftByWindow[window] !== undefined)) return null;

    const moreDaily = minus(caps.daily, was.daily);
    const leftByWindow = { ...balance.leftByWindow };
    for (const window of open) leftByWindow[window] = plus(leftByWindow[window] ?? NOTHING, moreDaily);
    const leftInTotal = plus(balance.leftInTotal, minus(caps.total, was.total));
    const after = { ...balance, caps, leftByWindow, leftInTotal, expiresAtMs, writes: balance.writes + 1 };
    this.#setBalance(after, null);
    this.#tellWrite(after, null, { kind: "changed", keyId: after.keyId, after, atMs: nowMs, by });
    return after;
  }

  revokeKey({ keyId, by, nowMs, stop }: Revocation): number | null {
    const balance = this.balances.get(keyId);
    if (balance === undefined || balance.revokedAtMs !== null) return balance?.revokedAtMs ?? null;
    const stopped = stop === undefined ? {} : { stoppedBy: stop };
    const after = { ...balance, ...stopped, revokedAtMs: nowMs, writes: balance.writes + 1 };
    this.#setBalance(after, null);
    this.#tellWrite(after, null, { kind: "revoked", keyId, after, atMs: nowMs, by });
    return nowMs;
  }

  claim({ callId, attempt, nowMs, leaseUntilMs, replayableSinceMs }: Claim): ClaimResult {
    const record = this.calls.get(callId) ?? null;
    if (record?.lease?.attemptId === attempt.attemptId && record.attempts[attempt.attemptId]?.kind === "own")
      return { kind: "claimed", record };
    if (record !== null && attempt.attemptId in record.attempts) return { kind: "busy" };
    switch (claimDecision(record, { nowMs, replayableSinceMs })) {
      case "busy":
        return { kind: "busy" };
      case "too_old":
        return { kind: "too_old", firstAtMs: record?.firstAtMs ?? 0 };
      case "full":
        return record === null ? { kind: "busy" } : { kind: "full", record };
      case "join":
        return record === null ? { kind: "busy" } : { kind: "joinable", record };
      case "claim": {
        const claimed = withAttempt(record ?? newCall(callId, attempt.issuedAtMs), attempt, leaseUntilMs);
        this.#setCall(claimed);
        return { kind: "claimed", record: claimed };
      }
    }
  }

  saveCall(record: CallRecord, expectedVersion: number, effect: ObjectEffect | null): SaveResult {
    const current = this.calls.get(record.callId) ?? null;
    if (expectedVersion === 0 ? current !== null : current?.version !== expectedVersion)
      return { kind: "stale", record: current };
    if (effect !== null && !this.#apply(effect)) return { kind: "object_ended" };
    this.#setCall(record);
    return { kind: "saved" };
  }

  readObject({ rootId, objectId }: ObjectName): CountedObject | null {
    return this.objects.get(`${rootId}/${objectId}`) ?? null;
  }

  /** `form`: null where the key has no rate. */
  draw(
    draw: Draw & AttemptNote,
    form: CountForm | null,
  ): (DrawResult & { readonly kind: "drawn" | "refused" }) | OtherMinute {
    const balance = this.balances.get(draw.keyId) ?? null;
    const reason = refusalOf(balance, draw);
    if (balance === null || reason !== null) return { kind: "refused", reason: reason ?? "unknown", balance };
    const counted = this.#counted(balance, draw, form, draw.attemptId);
    if (counted === null) return otherMinute(balance) ?? { kind: "refused", reason: "fenced", balance };

    const { keyId, attemptId, window, amount, callId, isLeaf, leafId, method, path, issuedAtMs: atMs } = draw;
    const after = afterDraw(counted, draw);
    this.#setBalance(after, draw);
    this.balanceWrites.push({ kind: "draw", id: attemptId, keyId, window, amount });
    if (isLeaf || leafId !== null) {
      const left = capStatuses(after, atMs, { window: NOTHING, total: NOTHING })[0]?.remaining ?? null;
      const remaining = isLeaf ? left : null;
      const told = { callId, attemptId, atMs, window, amount, method, path, remaining };
      this.#tellWrite(after, draw, { kind: "drawn", keyId: leafId ?? keyId, draw: told });
    } else this.#tellWrite(after, draw, { kind: "ignored" });
    return { kind: "drawn", balance: after };
  }

  /** `attemptId`: whose call it is, for those who keep books. */
  count(call: CountedCall, form: CountForm, attemptId: string | null): CountResult | OtherMinute {
    const balance = this.balances.get(call.keyId) ?? null;
    const reason = countRefusal(balance, call);
    if (balance === null || reason !== null) return { kind: "refused", reason: reason ?? "unknown", balance };
    const counted = this.#counted(balance, call, form, attemptId);
    if (counted === null) return otherMinute(balance) ?? { kind: "refused", reason: "unknown", balance };
    this.writes++;
    this.balances.set(call.keyId, counted);
    return { kind: "counted", balance: counted };
  }

  /** The balance with one call more, or null where the form does not fit. */
  #counted(
    balance: Balance,
    { count, keyId }: Pick<Draw, "count" | "keyId">,
    form: CountForm | null,
    attemptId: string | null,
  ): Balance | null {
    if (count === null || form === null) return balance;
    const { minuteCalls: stored } = balance;
    if (stored === null || !fitsForm(stored, count, form)) return null;
    const minuteCalls = afterCall(stored, count, form);
    this.countWrites.push({ keyId, minute: minuteCalls.minute, attemptId });
    return { ...balance, minuteCalls };
  }

  correct(correction: Correction): CorrectionResult {
    const { opId, keyId, window, amount } = correction;
    const balance = this.balances.get(keyId);
    const after = balance === undefined ? null : afterCorrection(balance, correction);
    if (after === null) return "not_applied";
    this.#setBalance(after, null);
    this.balanceWrites.push({ kind: "correction", id: opId, keyId, window, amount });
    this.#tellWrite(after, correction, { kind: "ignored" });
    return "applied";
  }

  fence(keyId: string, atMs: number): number | null {
    const balance = this.balances.get(keyId);
    if (balance === undefined) return null;
    const after = afterFence(balance, atMs);
    if (after !== balance) {
      this.#setBalance(after, null);
      this.#tellWrite(after, null, { kind: "ignored" });
    }
    return after.writes;
  }

  confirm(callId: string, opIds: readonly string[]): void {
    const record = this.calls.get(callId);
    if (record === undefined || opIds.some((opId) => !(opId in record.corrections))) return;
    this.#setCall(confirmed(record, opIds));
  }

  /** TTL: removes the records of calls that nothing depends on any more. */
  sweep(nowMs: number): void {
    for (const [callId, record] of this.calls) {
      const untilMs = keptUntilMs(record);
      if (untilMs !== null && untilMs < nowMs) this.calls.delete(callId);
    }
  }

  #apply(effect: ObjectEffect): boolean {
    const name = `${effect.rootId}/${effect.objectId}`;
    const object = this.objects.get(name);
    if (effect.kind === "end") {
      if (object === undefined || object.cancelled) return false;
      this.objects.set(name, { ...object, cancelled: true });
      return true;
    }
    if (object?.cancelled === true) return false;
    const { objectId, entry } = effect;
    const others = (object?.entries ?? []).filter(({ attemptId }) => attemptId !== entry.attemptId);
    this.objects.set(name, { objectId, cancelled: false, entries: [...others, entry] });
    return true;
  }

  #setBalance(balance: Balance, lastDraw: (Draw & AttemptNote) | null): void {
    this.writes++;
    this.balances.set(balance.keyId, balance);
    this.#lastDraws.set(balance.keyId, lastDraw);
  }

  #setCall(after: CallRecord): void {
    const before = this.calls.get(after.callId) ?? null;
    this.writes++;
    this.calls.set(after.callId, after);
    this.#tell(`CALL#${after.callId}`, { kind: "call", before, after });
  }

  /** `moved`: the draw or the correction; null for what moves no money. When it was written is for whoever has a clock. */
  #tellWrite({ keyId, writes }: Balance, moved: Draw | Correction | null, change: VaultChange): void {
    const id = moved === null ? null : "opId" in moved ? moved.opId : moved.attemptId;
    const isCorrection = moved !== null && "opId" in moved;
    const written = { keyId, number: writes, id, isCorrection, writtenMs: Infinity, previousMs: Infinity };
    this.#tell(`BALANCE#${keyId}`, { ...change, written });
  }

  #tell(item: string, change: VaultChange): void {
    this.changes.push({ item, change });
  }
}

/** A vault in memory whose every write is acknowledged. */
export class MemoryVault implements Vault, StopsVault {
  readonly state: VaultState;
  readonly policies: Policies;
  readonly balances: Balances;
  readonly calls: Calls;
  readonly objects: Objects;
  readonly listedKeys: ListedKeys;
  readonly stops: Stops;
  readonly stopRecords: StopRecords;

  constructor(state = new VaultState()) {
    this.state = state;
    this.policies = memoryPolicies(state);
    this.balances = memoryBalances(state);
    this.calls = memoryCalls(state);
    this.objects = { read: async (name) => state.readObject(name) };
    this.listedKeys = memoryListedKeys(state);
    this.stops = memoryStops(state);
    this.stopRecords = memoryStopRecords(state);
  }
}

/** Those of the values that there are. */
export const known = <T>(values: ReadonlyMap<string, T>, keys: readonly string[]): ReadonlyMap<string, T> =>
  new Map([...values].filter(([key]) => keys.includes(key)));

const memoryPolicies = (state: VaultState): Policies => ({
  read: async (keyId) => state.policies.get(keyId) ?? null,
  readAll: async (keyIds) => known(state.policies, keyIds),
  async create(policy, balance, requestHash) {
    state.putBalance(balance);
    state.putListed(policy, balance.expiresAtMs);
    return state.putPolicy(policy, requestHash);
  },
});

const memoryBalances = (state: VaultState): Balances => ({
  read: async (keyIds) => keyIds.map((keyId) => state.balances.get(keyId) ?? null),
  async change(before, change) {
    const policy = state.policies.get(before.keyId);
    assert(policy !== undefined, "a key that is changed has a policy");
    state.putListed(policy, change.expiresAtMs);
    return state.changeKey(before, change);
  },
  revoke: async (revocation) => state.revokeKey(revocation),
  draw: (draw) => drawIn(draw, async (form) => state.draw(draw, form)),
  async count(call) {
    const counted = await inItsMinute(call.count, async (form) => state.count(call, form, null));
    assert(counted !== null, "a form fits in memory");
    return counted;
  },
  fence: async (keyId, atMs) => state.fence(keyId, atMs),
  correct: async (correction) => state.correct(correction),
});

/** Lists of one part each. */
export const memoryListedKeys = (state: VaultState): ListedKeys => ({
  partsOf: (list) => [{ ...list, shard: 0 }],
  async page({ part: { shard: _, ...list }, before, limit }) {
    const older = state.keysOf(list).filter(({ position }) => before === null || position < before);
    const entries = older.slice(0, limit);
    return { entries, next: older.length > limit ? (entries.at(-1)?.position ?? null) : null };
  },
});

/** A draw in the form that fits, as the adapter sends it. */
export async function drawIn(
  { count }: Draw,
  send: (form: CountForm | null) => Promise<DrawResult | OtherMinute>,
): Promise<DrawResult> {
  const drawn = count === null ? await send(null) : await inItsMinute(count, send);
  return drawn === null || drawn.kind === "other_minute" ? { kind: "not_applied" } : drawn;
}

export const memoryStops = (state: VaultState): Stops => ({
  read: async () => ({ stops: [...state.stops.values()], last: state.lastStopsWrite }),
  async order(stop) {
    state.stops.set(stop.id, stop);
    state.lastStopsWrite = { by: stop.by, atMs: stop.atMs };
  },
  async lift({ stopId, by, nowMs }) {
    if (!state.stops.delete(stopId)) return false;
    state.lastStopsWrite = { by, atMs: nowMs };
    return true;
  },
  async end(stopIds, nowMs) {
    if (stopIds.length === 0) return;
    for (const id of stopIds) state.stops.delete(id);
    state.lastStopsWrite = { by: "time", atMs: nowMs };
  },
  async callAgain(nowMs) {
    state.lastStopsWrite = { by: "time", atMs: nowMs };
  },
});

const memoryStopRecords = (state: VaultState): StopRecords => ({
  read: async (stopId) => state.stopRecords.get(stopId) ?? null,
  async page({ before, limit }) {
    const older = [...state.stopRecords.values()]
      .filter(({ stop }) => before === null || stop.id < before)
      .sort((one, other) => (one.stop.id < other.stop.id ? 1 : -1));
    const records = older.slice(0, limit);
    return { records, next: older.length > limit ? (records.at(-1)?.stop.id ?? null) : null };
  },
  async save(record, expectedVersion) {
    if ((state.stopRecords.get(record.stop.id)?.version ?? 0) !== expectedVersion) return false;
    state.stopRecords.set(record.stop.id, record);
    return true;
  },
});

const memoryCalls = (state: VaultState): Calls => ({
  read: async (callId) => state.calls.get(callId) ?? null,
  claim: async (claim) => state.claim(claim),
  save: async (...args) => state.saveCall(...args),
  confirm: async (callId, opIds) => state.confirm(callId, opIds),
  async late({ vendor, dueByMs, limit }) {
    return [...state.calls.values()]
      .filter(({ latePrice }) => latePrice?.vendor === vendor && latePrice.dueMs <= dueByMs)
      .sort((a, b) => (a.latePrice?.dueMs ?? 0) - (b.latePrice?.dueMs ?? 0))
      .slice(0, limit)
      .map(({ callId }) => callId);
  },
  async lateBacklog(vendor, dueByMs) {
    const due = [...state.calls.values()].flatMap(({ latePrice }) =>
      latePrice?.vendor === vendor && latePrice.dueMs <= dueByMs ? [latePrice.dueMs] : [],
    );
    return { calls: due.length, oldestDueMs: due.length === 0 ? null : Math.min(...due) };
  },
});

/** What is taken from a balance in all windows together. */
export const countedInTotal = (balance: Balance): MicroUsd => minus(balance.caps.total, balance.leftInTotal);

/** What is taken from a balance in one window. */
export const countedInWindow = (balance: Balance, window: number): MicroUsd => {
  const left = balance.leftByWindow[window];
  return left === undefined ? microUsd(0n) : minus(balance.caps.daily, left);
};
