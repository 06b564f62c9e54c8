import type { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { DynamoAttemptJournal } from "../../lambda/adapters/dynamo-attempt-journal.ts";
import { DynamoEvidence } from "../../lambda/adapters/dynamo-evidence.ts";
import { recordAudit } from "../../lambda/app/audit/record-audit.ts";
import { sweepJournal } from "../../lambda/app/audit/sweep-journal.ts";
import { resolveCalls } from "../../lambda/app/resolve/resolve-calls.ts";
import type { Clock } from "../../lambda/ports/clock.ts";
import type { DueList } from "../../lambda/ports/due-list.ts";
import type { VaultChange } from "../../lambda/ports/vault-change.ts";
import { AUDIT_TABLE } from "../../lib/table-schemas.ts";
import { dynamoStub } from "../support/dynamo-stub.ts";
import { MemoryDueList } from "../support/memory-audit.ts";
import type { VaultState } from "../support/memory-vault.ts";
import { faultyAuditTable } from "./faulty-audit-table.ts";
import { FaultyVault } from "./faulty-vault.ts";
import type { Random } from "./random.ts";
import type { StreamRecord } from "./stream.ts";
import type { Choice, Process, World } from "./world.ts";

/** How old an attempt is when the resolver looks at it, in milliseconds: also much younger than deployed. */
const AFTER_MS = [0, 1_000, 3_000, 30_000, 300_000];
const BATCH_MAX = 6;
const TRIES_MAX = 4;
/** How many sweeps, and runs of the resolver, may begin while calls go on. */
const RUNS_MAX = 16;
const HOUR_MS = 3_600_000;
/** Looks that it takes at most to finish everything, once nothing fails: what waits is looked at again within minutes. */
const ROUNDS_MAX = 12;

type RecordPorts = Parameters<typeof recordAudit>[1];

/**
 * The resolver beside the calls (W8): the consumer of the stream with the real journal and evidence, sweeps, and runs of the
 * resolver, also two at a time, all of which die and lose writes. A part of the stream may be a dead letter until the end.
 */
export class Resolution {
  readonly #world: World;
  readonly #state: VaultState;
  readonly #stream: readonly StreamRecord[];
  readonly #random: Random;
  readonly #table: DynamoDBClient;
  readonly #dueList = new MemoryDueList();
  readonly #afterMs: number;
  /** By item: how many of its records are read. */
  readonly #read = new Map<string, number>();
  readonly #reading = new Set<string>();
  readonly #deadLetters: StreamRecord[][] = [];
  #begun = 0;
  #names = 0;

  /** `stream`: grows while calls go on. `random`: chance of its own. */
  constructor(world: World, state: VaultState, stream: readonly StreamRecord[], random: Random) {
    this.#world = world;
    this.#state = state;
    this.#stream = stream;
    this.#random = random;
    this.#afterMs = random.pick(AFTER_MS);
    const clock = { now: () => world.nowMs, sleep: async () => {} };
    this.#table = dynamoStub(AUDIT_TABLE, { lockMs: 0, unitsPerKey: 1e12, clock }).client;
  }

  start(): void {
    this.#world.say(`the resolver looks at what is ${this.#afterMs / 1000} seconds old`);
    this.#world.offer(() => this.#choices());
  }

  /** Records and resolves until there is nothing to do; nothing fails any more. */
  async finish(): Promise<void> {
    for (let round = 0; round < ROUNDS_MAX; round++) {
      this.#world.jump(HOUR_MS);
      const before = this.#state.writes;
      this.#begin("last look", async (process) => {
        for (const letter of this.#deadLetters.splice(0)) await this.#record(letter, this.#ports(process));
        for (const item of this.#unread()) await this.#recordAll(item, process);
        await this.#sweep(process);
        await resolveCalls({ afterMs: this.#afterMs, deadlineMs: Infinity }, this.#ports(process));
      });
      await this.#world.run();
      const left = await this.#dueList.due(Infinity, 1);
      if (left.length === 0 && this.#state.writes === before) return;
    }
    const [left] = await this.#dueList.due(Infinity, 1);
    this.#world.broke(3, `${left?.recordId ?? "a call"} is due for ever`);
  }

  /** What may begin next. Only beside others: nobody waits for the stream. */
  #choices(): readonly Choice[] {
    const choices: Choice[] = [];
    const unread = [...this.#unread()];
    if (unread.length > 0)
      choices.push({ weight: 10, run: () => this.#go(this.#poll(this.#random.pick(unread))) });
    if (this.#begun < RUNS_MAX && this.#state.changes.length > 0) {
      choices.push({ weight: 1, run: () => this.#begin("sweep", (process) => this.#sweep(process)) });
      choices.push({ weight: 1, run: () => this.#begin("resolver", (process) => this.#resolve(process)) });
      choices.push({ weight: 6, run: () => this.#begin("look", (process) => this.#look(process)) });
    }
    return choices;
  }

  #go(actor: Promise<unknown>): void {
    actor.catch((error: unknown) => this.#world.broke(3, `the resolution failed: ${String(error)}`));
  }

  #begin(what: string, run: (process: Process) => Promise<unknown>): void {
    this.#begun++;
    this.#go(
      this.#world.spawn(`${what} ${++this.#names}`, false, async (process) => {
        this.#world.say(`${process.name}: begins`);
        await run(process).catch((error: unknown) => this.#world.say(`${process.name}: ${String(error)}`));
      }),
    );
  }

  async #look(process: Process): Promise<void> {
    await this.#sweep(process);
    await this.#resolve(process);
  }

  #sweep(process: Process): Promise<unknown> {
    return sweepJournal(this.#ports(process), { afterMs: this.#afterMs, untilMs: Infinity });
  }

  #resolve(process: Process): Promise<unknown> {
    const deadlineMs = this.#world.nowMs + 60_000;
    return resolveCalls({ afterMs: this.#afterMs, deadlineMs }, this.#ports(process));
  }

  // ---- the stream -----------------------------------------------------------------------------------------------

  /** Items with records that nobody has read, and nobody reads. */
  *#unread(): Generator<string> {
    const written = new Map<string, number>();
    for (const { item } of this.#stream) written.set(item, (written.get(item) ?? 0) + 1);
    for (const [item, records] of written)
      if (!this.#reading.has(item) && (this.#read.get(item) ?? 0) < records) yield item;
  }

  #next(item: string, size: number): StreamRecord[] {
    const from = this.#read.get(item) ?? 0;
    return this.#stream.filter((record) => record.item === item).slice(from, from + size);
  }

  /** Reads one batch of an item, again and again where it fails; at last it is a dead letter. */
  async #poll(item: string): Promise<void> {
    this.#reading.add(item);
    for (let tries = 1; ; tries++) {
      const batch = this.#next(item, this.#random.between(1, BATCH_MAX));
      const ended = await this.#world.spawn(`consumer ${++this.#names}`, false, (process) =>
        this.#record(batch, this.#ports(process)),
      );
      if (ended === true || tries === TRIES_MAX) {
        if (ended !== true) this.#deadLetters.push(batch);
        this.#read.set(item, (this.#read.get(item) ?? 0) + batch.length);
        break;
      }
    }
    this.#reading.delete(item);
  }

  async #recordAll(item: string, process: Process): Promise<void> {
    const batch = this.#next(item, Infinity);
    await this.#record(batch, this.#ports(process));
    this.#read.set(item, (this.#read.get(item) ?? 0) + batch.length);
  }

  async #record(batch: readonly StreamRecord[], ports: RecordPorts): Promise<boolean> {
    const changes = batch.map(
      ({ change, atMs }) =>
        (): VaultChange =>
          change.written === undefined
            ? change
            : { ...change, written: { ...change.written, writtenMs: atMs } },
    );
    return (await recordAudit(changes, ports)) === null;
  }

  // ---- ports ----------------------------------------------------------------------------------------------------

  #ports(process: Process) {
    const clock = this.#world.clockOf(process);
    return {
      ...this.#auditPorts(faultyAuditTable(this.#world, process, this.#table, false), clock),
      vault: new FaultyVault(this.#world, process, this.#state),
      dueList: this.#faultyDueList(process),
      pause: (ms: number) => this.#world.wait(process, ms),
    };
  }

  #auditPorts(table: DynamoDBClient, clock: Clock) {
    return {
      clock,
      ids: this.#world.ids,
      // The rows are made of the whole stream afterwards (delivery.ts).
      log: { append: async () => {} },
      journal: new DynamoAttemptJournal(table, "Audit", clock, () => this.#world.ids.random(20)),
      evidence: new DynamoEvidence(table, "Audit", clock),
      warn: (message: string) => this.#world.say(message),
    };
  }

  /** Each write and read of the list is a step: other processes go on before it. */
  #faultyDueList(process: Process): Omit<DueList, "isAnyDue"> {
    const step = <T>(label: string, run: () => Promise<T>): Promise<T> =>
      this.#world.step(process, label, run).then((ended) => ended);
    return {
      put: (calls) =>
        calls.length === 0
          ? Promise.resolve()
          : step("puts calls on the due list", () => this.#dueList.put(calls)),
      due: (byMs, limit) => step("reads the due list", () => this.#dueList.due(byMs, limit)),
      move: (call, dueMs) => step("moves a call on the due list", () => this.#dueList.move(call, dueMs)),
      remove: (call) => step("takes a call off the due list", () => this.#dueList.remove(call)),
    };
  }
}
