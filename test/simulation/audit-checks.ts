import { eventsOf, recordAudit } from "../../lambda/app/audit/record-audit.ts";
import { tellOpen } from "../../lambda/app/audit/tell-open.ts";
import { type AuditRow, type EventName, isBeginning } from "../../lambda/domain/audit-event.ts";
import type { Attempt } from "../../lambda/domain/call/record.ts";
import { type MicroUsd, NOTHING, plus, usdText } from "../../lambda/domain/money.ts";
import type { VaultChange } from "../../lambda/ports/vault-change.ts";
import { MemoryAuditLog, MemoryJournal } from "../support/memory-audit.ts";
import { countedInTotal, MemoryVault, type StoredChange, type VaultState } from "../support/memory-vault.ts";
import type { Checks } from "./checks.ts";
import type { Scenario } from "./scenario.ts";
import type { SimulatedVendor } from "./vendor.ts";
import type { World } from "./world.ts";

const OUTCOMES: readonly EventName[] = ["settled", "released", "unresolved", "denied", "free"];

/**
 * Promise 6, when all is over: the stream is delivered in any order of its items, in batches that come again from any
 * earlier position; then every attempt and every change of a key has exactly one row, and it says what happened.
 */
export class AuditChecks {
  readonly #world: World;
  readonly #state: VaultState;
  readonly #checks: Checks;
  readonly #journal = new MemoryJournal(() => 1);
  #rows: ReadonlyMap<string, AuditRow> = new Map();

  constructor(world: World, state: VaultState, checks: Checks) {
    this.#world = world;
    this.#state = state;
    this.#checks = checks;
  }

  async run(scenario: Scenario, vendor: SimulatedVendor): Promise<void> {
    const log = new MemoryAuditLog();
    await this.#deliver(log);
    const ports = { vault: new MemoryVault(this.#state), log, journal: this.#journal };
    await tellOpen({ ...ports, clock: { now: () => 2 } }, { afterMs: 0, untilMs: Infinity });
    this.#rows = log.rows();
    this.#attemptsHaveRows();
    this.#decisionsHaveRows(scenario, vendor);
    this.#keysHaveRows(scenario);
    this.#sumsAgree(log);
    await this.#redeliveryChangesNothing(log);
  }

  /** Lambda delivers at least once: a batch that fails comes again, with what follows it. */
  async #deliver(log: MemoryAuditLog): Promise<void> {
    const { random } = this.#world;
    const vault = new MemoryVault(this.#state);
    const changes = this.#shuffled();
    for (let position = 0; position < changes.length; ) {
      const batch = changes.slice(position, position + random.between(1, 8));
      const failure = await recordAudit(
        batch.map(
          ({ change }) =>
            () =>
              change,
        ),
        { vault, log, journal: this.#journal },
      );
      if (failure !== null)
        return this.#world.broke(6, `a change was not recorded: ${String(failure.cause)}`);
      const again = random.chance(0.3) ? random.int(position + batch.length) : position + batch.length;
      position = random.chance(0.5) ? Math.max(again, position) : position + batch.length;
      if (random.chance(0.2)) await this.#replay(changes.slice(random.int(changes.length)), log);
    }
  }

  async #replay(changes: readonly StoredChange[], log: MemoryAuditLog): Promise<void> {
    const vault = new MemoryVault(this.#state);
    await recordAudit(
      changes.slice(0, 5).map(
        ({ change }) =>
          () =>
            change,
      ),
      { vault, log, journal: this.#journal },
    );
  }

  /** Items in any order, the changes of each in their own. */
  #shuffled(): readonly StoredChange[] {
    const byItem = new Map<string, StoredChange[]>();
    for (const stored of this.#state.changes)
      byItem.set(stored.item, [...(byItem.get(stored.item) ?? []), stored]);
    const queues = [...byItem.values()].map((queue) => [...queue]);
    const order: StoredChange[] = [];
    while (queues.length > 0) {
      const index = this.#world.random.int(queues.length);
      const next = queues[index]?.shift();
      if (next === undefined) queues.splice(index, 1);
      else order.push(next);
    }
    return order;
  }

  /** Whatever the table ever knew of an attempt is told by its one row, as it ended. */
  #attemptsHaveRows(): void {
    for (const [attemptId, known] of this.#checks.history.attempts) {
      const row = this.#only(attemptId);
      if (row === null) continue;
      const states = known.map(({ attempt }) => stateOf(attempt));
      const state = states.find((candidate) => OUTCOMES.includes(candidate)) ?? "open";
      if (row.state !== state)
        this.#world.broke(6, `the row of ${attemptId} says ${row.state}, its record ${state}`);
      const cost = known.map(({ attempt }) => attempt.cost).find((amount) => amount !== 0n) ?? NOTHING;
      if ((row.fields.cost ?? NOTHING) !== cost)
        this.#world.broke(6, `the row of ${attemptId} says ${row.fields.cost}, its record ${cost}`);
    }
    for (const change of this.#state.changes) {
      if (change.change.kind === "drawn") this.#only(change.change.draw.attemptId);
    }
  }

  #only(attemptId: string): AuditRow | null {
    const rows = [...this.#rows.values()].filter((row) => row.attemptId === attemptId);
    if (rows.length !== 1) this.#world.broke(6, `the attempt ${attemptId} has ${rows.length} rows`);
    return rows[0] ?? null;
  }

  /** Whoever was told something, and whatever was sent, is on a row; but for a ledger that did not answer. */
  #decisionsHaveRows({ decisions }: Scenario, vendor: SimulatedVendor): void {
    const unrecorded = new Set<string>();
    for (const { process, result } of decisions) {
      const { attemptId } = process;
      if (result.kind === "denied" && result.problem.code === "ledger_unavailable") continue;
      if (attemptId === null) {
        if (result.kind === "denied" && result.facts === null) continue;
        this.#world.broke(6, `${process.name} was answered without an attempt`);
      } else if (!this.#hasRow(attemptId)) unrecorded.add(attemptId);
    }
    for (const { attemptId } of vendor.requests) if (!this.#hasRow(attemptId)) unrecorded.add(attemptId);
    for (const attemptId of unrecorded)
      this.#world.broke(6, `the attempt ${attemptId} was answered or forwarded and has no row`);
  }

  #hasRow(attemptId: string): boolean {
    return [...this.#rows.values()].some((row) => row.attemptId === attemptId);
  }

  #keysHaveRows({ events }: Scenario): void {
    const count = (state: EventName) => [...this.#rows.values()].filter((row) => row.state === state).length;
    const written = (kind: VaultChange["kind"]) =>
      this.#state.changes.filter(({ change }) => change.kind === kind).length;
    for (const kind of ["issued", "changed", "revoked"] as const) {
      const rows = count(`key.${kind}`);
      if (rows !== written(kind))
        this.#world.broke(6, `${written(kind)} keys were ${kind}, ${rows} rows say so`);
      const acknowledged = kind === "changed" ? events.changed : events[kind].size;
      if (rows < acknowledged)
        this.#world.broke(6, `${acknowledged} keys were ${kind} for certain, ${rows} rows say so`);
    }
  }

  /** Where nothing was lost, what the sums say was spent is what a balance lacks, but for what is unresolved. */
  #sumsAgree(log: MemoryAuditLog): void {
    if (this.#world.ledgerFaults > 0) return;
    const held = new Map<string, MicroUsd>();
    for (const known of this.#checks.history.attempts.values()) {
      for (const { attempt } of known) {
        if (attempt.kind !== "own" || attempt.state !== "unresolved") continue;
        for (const { keyId } of attempt.windows)
          held.set(keyId, plus(held.get(keyId) ?? NOTHING, attempt.amount));
      }
    }
    for (const [keyId, balance] of this.#state.balances) {
      const told = plus(log.spentBy(keyId), held.get(keyId) ?? NOTHING);
      const counted = countedInTotal(balance);
      if (counted !== told)
        this.#world.broke(
          6,
          `${keyId}: the log tells of ${usdText(told)} USD, ${usdText(counted)} are counted`,
        );
    }
  }

  async #redeliveryChangesNothing(log: MemoryAuditLog): Promise<void> {
    const sumsOf = (of: MemoryAuditLog) =>
      [...this.#state.policies.keys()].map((keyId) => `${of.spentBy(keyId)}`).join();
    const once = new MemoryAuditLog();
    for (const { change } of this.#state.changes)
      await once.append(eventsOf(change, this.#state.policies).filter((event) => !isBeginning(event)));
    const outcomes = [...log.events.values()].filter((event) => !isBeginning(event));
    if (once.events.size !== outcomes.length || sumsOf(once) !== sumsOf(log))
      this.#world.broke(6, "a stream that is delivered again changes the audit log");
  }
}

/** What a row is to say of an attempt. */
function stateOf({ state, outcome }: Attempt): EventName {
  if (state === "paid_by_other") return "released";
  if (state !== "joined") return state;
  const status = outcome?.vendorStatus ?? 0;
  return status >= 200 && status < 300 ? "settled" : "released";
}
