import { eventsOf } from "../../lambda/app/audit/record-audit.ts";
import { eventId } from "../../lambda/audit-wire.ts";
import {
  type AuditEvent,
  type AuditRow,
  type EventName,
  isBeginning,
  OWN_ROWS,
} from "../../lambda/domain/audit-event.ts";
import type { Balance } from "../../lambda/domain/balance.ts";
import { rowCallId } from "../../lambda/domain/call/names.ts";
import type { Attempt } from "../../lambda/domain/call/record.ts";
import { type MicroUsd, NOTHING, usdText } from "../../lambda/domain/money.ts";
import { isoDay } from "../../lambda/domain/time.ts";
import type { VaultChange } from "../../lambda/ports/vault-change.ts";
import { countedInTotal, countedInWindow, type VaultState } from "../support/memory-vault.ts";
import { listed, Sums, sumsFrom, sumsIn, unendedIn, whole } from "./audit-books.ts";
import type { Checks } from "./checks.ts";
import type { Delivery } from "./delivery.ts";
import { Amounts } from "./history.ts";
import { lateVendor } from "./late-vendor.ts";
import type { Scenario } from "./scenario.ts";
import type { SimulatedVendor } from "./vendor.ts";
import type { World } from "./world.ts";

const OUTCOMES: readonly EventName[] = ["settled", "released", "unresolved", "denied", "free"];

/** A draw forgets the windows that are older by so many (docs/protocol.md, W2). */
const WINDOWS_KEPT = 3;

/** Rows that are listed at once: few, so that a page ends in the middle of a shard now and then. */
const PAGE = 20;

/**
 * Promise 6, when all was delivered: every attempt and every change of a key has exactly one row, and it says what
 * happened; and the sums are those of the events, each counted once.
 */
export class AuditChecks {
  readonly #world: World;
  readonly #state: VaultState;
  readonly #checks: Checks;
  readonly #delivery: Delivery;
  #rows: ReadonlyMap<string, AuditRow> = new Map();

  constructor(world: World, state: VaultState, checks: Checks, delivery: Delivery) {
    this.#world = world;
    this.#state = state;
    this.#checks = checks;
    this.#delivery = delivery;
  }

  async run(scenario: Scenario, vendor: SimulatedVendor): Promise<void> {
    const byVendor = new Map<string, AuditRow>();
    for (const vendor of ["stripe", lateVendor.name, OWN_ROWS])
      for (const [id, row] of await listed(this.#delivery, { kind: "vendor", vendor }, PAGE))
        byVendor.set(id, row);
    this.#rows = await whole(this.#delivery, byVendor);
    this.#attemptsHaveRows();
    this.#decisionsHaveRows(scenario, vendor);
    this.#keysHaveRows(scenario);
    await this.#keysFindTheirRows();
    this.#eventsAreThoseOfTheTable();
    this.#sumsAreThoseOfTheRows();
    this.#sumsAreThoseOfTheRecords();
    this.#balancesAgree();
    this.#journalIsRight();
  }

  /** Whatever the table ever knew of an attempt is told by its one row, as it ended. */
  #attemptsHaveRows(): void {
    for (const [attemptId, known] of this.#checks.history.attempts) {
      const row = this.#only(attemptId);
      if (row === null) continue;
      const subjects = known.map(({ recordId }) => rowCallId(recordId.replace(/ \(\d+\)$/, "")));
      const other = subjects.find((subject) => subject !== row.subject);
      if (other !== undefined)
        this.#world.broke(6, `the row of ${attemptId} is of ${row.subject}, its record of ${other}`);
      const states = known.map(({ attempt }) => stateOf(attempt));
      const state = states.find((candidate) => OUTCOMES.includes(candidate)) ?? "open";
      if (row.state !== state && !this.#checks.history.claimedLate.has(attemptId))
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
    const count = (state: string) =>
      [...this.#rows.values()].filter((row) => row.state.replace("api_", "") === state).length;
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

  /** Every index has every row. */
  async #keysFindTheirRows(): Promise<void> {
    let found = 0;
    for (const keyId of this.#state.balances.keys())
      found += (await listed(this.#delivery, { kind: "key", keyId }, PAGE)).size;
    if (found !== this.#rows.size)
      this.#world.broke(6, `${this.#rows.size} rows are found by vendor, ${found} by key`);
  }

  /** The log has each event that the table tells, but for beginnings; and the sums are theirs, to the cent. */
  #eventsAreThoseOfTheTable(): void {
    const told = new Map<string, AuditEvent>();
    for (const { change } of this.#state.changes)
      for (const event of this.#told(change))
        if (!isBeginning(event) && !told.has(eventId(event))) told.set(eventId(event), event);
    const logged = [...this.#rows.values()].flatMap(({ events }) =>
      events.filter((event) => !isBeginning(event)),
    );
    const ids = new Set(logged.map(eventId));
    const missing = [...told.keys()].find((id) => !ids.has(id));
    if (missing !== undefined) this.#world.broke(6, `the log lacks ${missing}`);
    if (logged.length !== told.size)
      this.#world.broke(6, `the log has ${logged.length} events, the table told ${told.size}`);
    this.#areSame("the events", sumsFrom(told.values()), sumsIn(this.#delivery));
  }

  /** A change that cannot be told is in no row. */
  #told(change: VaultChange): readonly AuditEvent[] {
    try {
      return eventsOf(change, this.#state.policies);
    } catch (error) {
      this.#world.broke(6, `a change cannot be told: ${String(error)}`);
      return [];
    }
  }

  /** What rows say was spent and decided, added up, is what the sums of vendor, label and label group say. */
  #sumsAreThoseOfTheRows(): void {
    if (this.#checks.history.claimedLate.size > 0) return;
    const sums = new Sums();
    for (const { state, fields, attemptId } of this.#rows.values()) {
      if (attemptId === null || state === "open") continue;
      const isDenied = fields.decision === "denied";
      const counted = {
        spent: fields.cost ?? NOTHING,
        allowed: isDenied ? 0 : 1,
        denied: isDenied ? 1 : 0,
      };
      const day = `DAY#${isoDay(fields.atMs)}`;
      sums.add(`vendor#${fields.vendor} ${day}`, counted);
      if (fields.label !== null) sums.add(`label#${fields.label} ${day}`, counted);
      if (fields.labelGroup !== null) sums.add(`label_group#${fields.labelGroup} ${day}`, counted);
    }
    this.#areSame("the rows", sums, sumsIn(this.#delivery), (line) => !line.startsWith("key#"));
  }

  #areSame(
    what: string,
    expected: Sums,
    stored: Sums,
    isMeant: (line: string) => boolean = () => true,
  ): void {
    const [want, have] = [expected, stored].map((sums) => sums.lines().filter(isMeant));
    const missing = want?.find((line) => have?.includes(line) === false);
    const extra = have?.find((line) => want?.includes(line) === false);
    if (missing !== undefined || extra !== undefined)
      this.#world.broke(
        6,
        `${what} add up to ${missing ?? "nothing"}, and the sums say ${extra ?? "nothing"}`,
      );
  }

  /** What the sums say was spent of each key and window is what was decided, whatever became of the writes of balances. */
  #sumsAreThoseOfTheRecords(): void {
    const told = new Amounts();
    for (const [place, spent] of sumsIn(this.#delivery).spentByKey()) told.add(place, spent);
    const [want, have] = [this.#checks.history.spent().lines(), told.lines()];
    const missing = want.find((line) => !have.includes(line));
    const extra = have.find((line) => !want.includes(line));
    if (missing !== undefined || extra !== undefined)
      this.#world.broke(6, `the records say ${missing ?? "nothing"}, and the sums ${extra ?? "nothing"}`);
  }

  /** Where nothing was lost, what the sums say was spent is what a balance lacks, but for what is unresolved. */
  #balancesAgree(): void {
    if (this.#world.ledgerFaults > 0) return;
    const told = new Amounts();
    for (const [name, spent] of sumsIn(this.#delivery).spentByKey()) told.add(name, spent);
    for (const known of this.#checks.history.attempts.values()) {
      for (const { attempt } of known) {
        if (attempt.kind !== "own" || attempt.state !== "unresolved") continue;
        for (const place of attempt.windows) told.add(place, attempt.amount);
      }
    }
    for (const [keyId, balance] of this.#state.balances) {
      this.#isCounted(keyId, told.inTotal(keyId), countedInTotal(balance));
      for (const window of neverForgotten(balance))
        this.#isCounted(
          `${keyId} in window ${window}`,
          told.in({ keyId, window }),
          countedInWindow(balance, window),
        );
    }
  }

  #isCounted(where: string, told: MicroUsd, counted: MicroUsd): void {
    if (told === counted) return;
    this.#world.broke(6, `${where}: the log tells of ${usdText(told)} USD, ${usdText(counted)} are counted`);
  }

  /** What it says began and did not end is what has no outcome on the log. */
  #journalIsRight(): void {
    const open = new Set(
      [...this.#rows.values()]
        .filter(({ state }) => state === "open")
        .map(({ attemptId }) => attemptId ?? ""),
    );
    const unended = unendedIn(this.#delivery);
    const wrong = [...open, ...unended].find((attemptId) => open.has(attemptId) !== unended.has(attemptId));
    if (wrong !== undefined)
      this.#world.broke(
        6,
        `the journal says that ${wrong} ${unended.has(wrong) ? "did not end" : "ended or never began"}`,
      );
  }
}

/** The windows that no draw has forgotten: a late price above its estimate opens one anew that was. */
function neverForgotten({ leftByWindow }: Balance): readonly number[] {
  const windows = Object.keys(leftByWindow).map(Number);
  return windows.filter((window) => !windows.some((later) => later >= window + WINDOWS_KEPT));
}

/** What a row is to say of an attempt. */
function stateOf({ state, outcome }: Attempt): EventName {
  if (state === "paid_by_other") return "released";
  if (state !== "joined") return state;
  const status = outcome?.vendorStatus ?? 0;
  return status >= 200 && status < 300 ? "settled" : "released";
}
