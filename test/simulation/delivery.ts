import type { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import type { Waiting } from "../../lambda/adapters/back-off.ts";
import { DynamoAttemptJournal } from "../../lambda/adapters/dynamo-attempt-journal.ts";
import { DynamoAuditLog } from "../../lambda/adapters/dynamo-audit-log.ts";
import { DynamoEvidence } from "../../lambda/adapters/dynamo-evidence.ts";
import { eventsOf, recordAudit } from "../../lambda/app/audit/record-audit.ts";
import { sweepJournal } from "../../lambda/app/audit/sweep-journal.ts";
import { eventId } from "../../lambda/audit-wire.ts";
import { isBeginning } from "../../lambda/domain/audit-event.ts";
import type { Clock } from "../../lambda/ports/clock.ts";
import { AUDIT_TABLE } from "../../lib/table-schemas.ts";
import { dynamoStub } from "../support/dynamo-stub.ts";
import { MemoryDueList } from "../support/memory-audit.ts";
import { MemoryVault, type VaultState } from "../support/memory-vault.ts";
import { NO_FAULTS } from "./faults.ts";
import { faultyAuditTable } from "./faulty-audit-table.ts";
import { FaultyVault } from "./faulty-vault.ts";
import { type Shard, type StreamRecord, shardsOf } from "./stream.ts";
import type { Choice, Process, World } from "./world.ts";

const BATCH_MAX = 8;
const TRIES_MAX = 4;
const RETENTION_DAYS = 400;
/** As deployed (`RESOLVE_AFTER_S` in lib/limits.ts). */
const RESOLVE_AFTER_MS = 300_000;
const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
/** How likely a sweep begins each time the table is written. */
const SWEPT = 0.1;
/** How likely an invocation is given up while it still runs, so that another one reads the same shard beside it. */
const GIVEN_UP = 0.1;

/**
 * The stream and its consumers, with the real log and journal over a table in memory: shards that split, batches that come
 * again from their checkpoint, processes that die between any two writes, and sweeps meanwhile.
 *
 * Nothing of a call depends on the log. So it has a world of its own, which goes by the times at which the table was written:
 * its faults excuse nothing of the money.
 */
export class Delivery {
  /** The items of the Audit table. */
  readonly items: ReturnType<typeof dynamoStub>["items"];
  readonly table: DynamoDBClient;
  readonly #world: World;
  readonly #state: VaultState;
  readonly #records: readonly StreamRecord[];
  readonly #shards: readonly Shard[];
  readonly #hasTokens: boolean;
  readonly #dueList = new MemoryDueList();
  readonly #deadLetters: (readonly StreamRecord[])[] = [];
  #arrived = 0;
  #waiting: (() => void)[] = [];
  #names = 0;

  constructor(world: World, state: VaultState, records: readonly StreamRecord[]) {
    this.#world = world;
    this.#state = state;
    this.#records = records;
    this.#shards = shardsOf(records, world.random);
    this.#hasTokens = world.random.chance(0.5);
    const clock = { now: () => world.nowMs, sleep: async () => {} };
    const stub = dynamoStub(AUDIT_TABLE, { lockMs: 0, unitsPerKey: 1e12, clock });
    this.table = stub.client;
    this.items = stub.items;
  }

  /**
   * Delivers and sweeps with faults; then, without, sweeps, looks whether the log is complete but for dead letters, replays
   * these, and sweeps a last time.
   */
  async run(): Promise<void> {
    await this.#sweep();
    this.#world.offer(() => this.#arrival());
    for (const shard of this.#shards) this.#go(this.#poll(shard));
    await this.#world.run();
    this.#world.jump(this.#world.random.between(1, 90) * MINUTE_MS);
    for (let sweeps = this.#world.random.int(3); sweeps > 0; sweeps--) this.#go(this.#sweepBeside());
    await this.#world.run();

    this.#world.faults = NO_FAULTS;
    this.#world.jump(HOUR_MS);
    await this.#sweep();
    this.#nothingIsHidden();

    const letters = [...this.#deadLetters, ...this.#deadLetters.slice(0, 2), ...this.#someRecords()];
    for (const letter of letters) this.#go(this.#invoke(letter));
    await this.#world.run();
    this.#world.jump(HOUR_MS);
    await this.#sweep();
  }

  /**
   * Promise 6, before anybody looks at dead letters: what was acknowledged is on the log. Of an attempt that only began
   * there is a row at least, though its outcome is a dead letter.
   */
  #nothingIsHidden(): void {
    const told = new Set<string>();
    for (const { pk, sk } of this.items.values()) {
      const [, attemptId] = /^(att_\w+)#/.exec(sk?.S ?? "") ?? [];
      if (attemptId !== undefined) told.add(attemptId);
      told.add(`${pk?.S}#${sk?.S}`);
    }
    const dead = new Set(this.#deadLetters.flat());
    for (const record of this.#records.filter((each) => !dead.has(each))) {
      for (const event of eventsOf(record.change, this.#state.policies)) {
        const id = isBeginning(event) ? event.attemptId : eventId(event);
        if (id !== null && !told.has(id))
          this.#world.broke(6, `a batch was acknowledged and the log lacks ${id}`);
      }
    }
  }

  #go(actor: Promise<unknown>): void {
    actor.catch((error: unknown) => this.#world.broke(6, `the delivery failed: ${String(error)}`));
  }

  /** Somebody replays a part of the stream that was recorded long ago. */
  #someRecords(): readonly (readonly StreamRecord[])[] {
    const from = this.#world.random.int(this.#records.length + 1);
    return this.#world.random.chance(0.5) ? [this.#records.slice(from, from + BATCH_MAX)] : [];
  }

  /** The table is written on. */
  #arrival(): readonly Choice[] {
    const next = this.#records[this.#arrived];
    if (next === undefined) return [];
    const run = () => {
      this.#arrived++;
      if (next.atMs > this.#world.nowMs) this.#world.jump(next.atMs - this.#world.nowMs);
      if (this.#world.random.chance(SWEPT)) this.#go(this.#sweepBeside());
      for (const wake of this.#waiting.splice(0)) wake();
    };
    return [{ weight: 10, run }];
  }

  /** Reads a shard, batch by batch, as Lambda does. */
  async #poll(shard: Shard): Promise<void> {
    const { random } = this.#world;
    let sizeMax = BATCH_MAX;
    let tries = 0;
    while (!shard.isRead) {
      const batch = shard.batch(this.#world.nowMs, random.between(1, sizeMax));
      if (batch.length === 0) {
        await new Promise<void>((resolve) => this.#waiting.push(resolve));
        continue;
      }
      tries++;
      const acknowledged = await this.#invoke(batch);
      shard.checkpoint += acknowledged;
      if (acknowledged > 0) {
        tries = 0;
        sizeMax = BATCH_MAX;
      } else if (tries < TRIES_MAX) {
        if (random.chance(0.5)) sizeMax = Math.ceil(sizeMax / 2);
      } else {
        this.#world.say(`${shard.name}: ${batch.length} records are a dead letter`);
        this.#deadLetters.push(batch);
        shard.checkpoint += batch.length;
        tries = 0;
      }
      if (shard.isRead) for (const wake of this.#waiting.splice(0)) wake();
    }
  }

  /** How many of the records the process says are recorded. */
  async #invoke(batch: readonly StreamRecord[]): Promise<number> {
    const ended = this.#world.spawn(`consumer ${++this.#names}`, false, async (process) => {
      this.#world.say(`${process.name}: begins ${batch.length} records`);
      return {
        failure: await recordAudit(
          batch.map(
            ({ change }) =>
              () =>
                change,
          ),
          this.#ports(process),
        ),
      };
    });
    const isGivenUp = this.#world.faults.suspend > 0 && this.#world.random.chance(GIVEN_UP);
    const answer = await (isGivenUp ? Promise.race([ended, this.#pause()]) : ended);
    return answer === null ? 0 : (answer.failure?.failedAt ?? batch.length);
  }

  async #pause(): Promise<null> {
    for (let steps = this.#world.random.int(10); steps >= 0; steps--)
      await this.#world.step(null, "waits", () => {});
    return null;
  }

  async #sweepBeside(): Promise<void> {
    await this.#world.spawn(`sweep ${++this.#names}`, false, async (process) => {
      this.#world.say(`${process.name}: begins`);
      await sweepJournal(this.#ports(process), { afterMs: RESOLVE_AFTER_MS, untilMs: Infinity }).catch(
        () => 0,
      );
    });
  }

  /** The schedule of the sweep is as old as the deployment, and it goes on when nothing fails any more. */
  async #sweep(): Promise<void> {
    const clock = { now: () => this.#world.nowMs };
    const ports = { vault: new MemoryVault(this.#state), clock, ...this.#auditPorts(this.table, clock) };
    await sweepJournal(ports, { afterMs: RESOLVE_AFTER_MS, untilMs: Infinity });
  }

  #ports(process: Process) {
    const table = faultyAuditTable(this.#world, process, this.table, this.#hasTokens);
    const clock = this.#world.clockOf(process);
    const waiting = {
      wait: (ms: number) => this.#world.wait(process, ms),
      chance: () => this.#world.random.next(),
    };
    return {
      vault: new FaultyVault(this.#world, process, this.#state),
      clock,
      ...this.#auditPorts(table, clock, waiting),
    };
  }

  #auditPorts(table: DynamoDBClient, clock: Clock, waiting?: Waiting) {
    const newId = () => this.#world.ids.random(20);
    return {
      log: new DynamoAuditLog(table, "Audit", RETENTION_DAYS, clock, waiting),
      journal: new DynamoAttemptJournal(table, "Audit", clock, newId),
      evidence: new DynamoEvidence(table, "Audit", clock),
      dueList: this.#dueList,
    };
  }
}
