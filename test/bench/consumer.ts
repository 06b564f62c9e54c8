import { DynamoAttemptJournal } from "../../lambda/adapters/dynamo-attempt-journal.ts";
import { DynamoAuditLog } from "../../lambda/adapters/dynamo-audit-log.ts";
import { DynamoAuditReader } from "../../lambda/adapters/dynamo-audit-reader.ts";
import { DynamoEvidence } from "../../lambda/adapters/dynamo-evidence.ts";
import { shardOf } from "../../lambda/adapters/shards.ts";
import { type AuditQuery, queryAudit } from "../../lambda/app/audit/query-audit.ts";
import { recordAudit } from "../../lambda/app/audit/record-audit.ts";
import { ADMIN } from "../../lambda/app/keys/caller.ts";
import type { Policy } from "../../lambda/domain/vault-key.ts";
import type { VaultChange } from "../../lambda/ports/vault-change.ts";
import { AUDIT_TABLE } from "../../lib/table-schemas.ts";
import { policyNamed, toldCall } from "../support/audit-events.ts";
import { dynamoStub } from "../support/dynamo-stub.ts";
import { atLeast, atMost, type Bench, count, percent, type Section, told } from "./section.ts";
import { VirtualClock } from "./virtual-clock.ts";

const TABLE = "audit";
const RETENTION_DAYS = 400;
const LABEL = "bench/run";
const START_MS = Date.parse("2026-11-22T05:00:00Z");
const CALLS_A_SECOND = 3_000;
const CANCELLED_MAX = 0.01;

/** How many calls a second the consumer of the stream records, and whether what it recorded is all and right. */
export const consumer: Section = {
  name: "consumer",
  title: "The audit log at a thousand calls a second",
  how: "The real consumer (`recordAudit`, `DynamoAuditLog`, `DynamoAttemptJournal`) in several processes' stead before a stub of DynamoDB, by its own clock, that cancels transactions on one item at a time and gives each partition key of the table and of every index its units a second. All calls share a vendor and a label. Afterwards rows and dollars are counted by key and compared with the sums.",
  async run(bench) {
    const { calls, wrong, seconds, counts, lanes, worstLagS } = await record(bench);
    // The last calls are at their vendor when nothing comes any more.
    const rate = calls / (seconds - VENDOR_MS / 1000);
    const wanted = bench.number("consumer-rate") || CALLS_A_SECOND;
    const cancelled = (counts.conflicts + counts.throttled) / (counts.transactions + counts.puts);
    return {
      figures: [
        atLeast("calls recorded a second", rate, wanted * 0.95, count),
        atMost("sends that were cancelled or throttled", cancelled, CANCELLED_MAX, percent),
        told("of them conflicts, and throttled", `${count(counts.conflicts)}, ${count(counts.throttled)}`),
        told(
          "write units a call, and in vain",
          `${(counts.units / calls).toFixed(2)}, ${(counts.unitsInVain / calls).toFixed(2)}`,
        ),
        told("longest wait of a change", `${worstLagS.toFixed(1)} s`),
        told("lanes, calls", `${lanes}, ${count(calls)}`),
      ],
      wrong,
    };
  },
};

interface Due {
  readonly change: VaultChange;
  readonly dueMs: number;
}

async function record(bench: Bench) {
  const [lanes, lockMs, batchMax] = [bench.number("lanes"), bench.number("lock-ms"), bench.number("batch")];
  const calls = bench.options.smoke ? 3_000 : bench.number("consumer-calls");
  const rate = bench.number("consumer-rate");
  const clock = new VirtualClock();
  const unitsPerKey = bench.number("units-per-key");
  const { client, counts } = dynamoStub(AUDIT_TABLE, { lockMs, unitsPerKey, clock });
  const policies = policiesOf(Math.min(bench.number("keys"), calls));
  const queues = queuesOf(calls, rate, lanes, policies);
  const vault = {
    policies: {
      read: async () => null,
      readAll: async () => new Map(policies.map((policy) => [policy.keyId, policy])),
      create: async () => "created" as const,
    },
  };

  bench.say(`${count(calls)} calls by ${lanes} lanes, ${lockMs} ms a write`);
  let worstLagMs = 0;
  const recorded = Promise.all(
    queues.map(async (queue) => {
      const ownClock = { now: () => START_MS + clock.now() };
      const log = new DynamoAuditLog(client, TABLE, RETENTION_DAYS, ownClock);
      const journal = new DynamoAttemptJournal(client, TABLE, ownClock);
      const evidence = new DynamoEvidence(client, TABLE, ownClock);
      for (let position = 0; position < queue.length; ) {
        const nowMs = clock.now();
        let end = position;
        while (end < queue.length && end - position < batchMax && (queue[end]?.dueMs ?? 0) <= nowMs) end++;
        const isFull = end - position === batchMax || end === queue.length;
        if (!isFull && end - position < batchMax && nowMs - (queue[position]?.dueMs ?? nowMs) < WINDOW_MS) {
          await clock.sleep(5);
          continue;
        }
        const batch = queue.slice(position, end);
        worstLagMs = Math.max(worstLagMs, nowMs - (batch[0]?.dueMs ?? nowMs));
        const changes = batch.map(
          ({ change }) =>
            () =>
              change,
        );
        const failure = await recordAudit(changes, { vault, log, journal, evidence });
        // What failed comes again from there, as Lambda has it.
        position += failure?.failedAt ?? batch.length;
      }
    }),
  );
  await clock.run(recorded);
  const seconds = clock.now() / 1000;
  const wrong = await whatIsWrong(new DynamoAuditReader(client, TABLE), policies, calls, bench);
  return { calls, seconds, counts, lanes, wrong, worstLagS: worstLagMs / 1000 };
}

/** As the stream's mapping has it: a batch that is not full waits for a second. */
const WINDOW_MS = 1_000;

const policiesOf = (keys: number): readonly Policy[] =>
  Array.from({ length: keys }, (_, n) => policyNamed(`key_${`${n}`.padStart(16, "0")}`, LABEL));

const microsOf = (n: number): bigint => BigInt((n % 997) + 1) * 10_000n;

/** The changes of each lane, in the order in which they come. The changes of one item are of one lane. */
function queuesOf(
  calls: number,
  rate: number,
  lanes: number,
  policies: readonly Policy[],
): readonly (readonly Due[])[] {
  const queues: Due[][] = Array.from({ length: lanes }, () => []);
  for (let n = 0; n < calls; n++) {
    const policy = policies[n % policies.length];
    if (policy === undefined) continue;
    const dueMs = rate === 0 ? 0 : (n / rate) * 1000;
    const [claim, draw, outcome] = toldCall(policy, n, microsOf(n), START_MS + n).changes;
    const ofCall = queues[(n * 7) % lanes];
    ofCall?.push({ change: claim, dueMs }, { change: outcome, dueMs: dueMs + VENDOR_MS });
    queues[(shardOf(policy.keyId) * 31 + n) % lanes]?.push({ change: draw, dueMs });
  }
  for (const queue of queues) queue.sort((one, other) => one.dueMs - other.dueMs);
  return queues;
}

const VENDOR_MS = 500;

/** Counts rows and dollars by key through the pages of the audit log, and compares with what was sent and with the sums. */
async function whatIsWrong(
  reader: DynamoAuditReader,
  policies: readonly Policy[],
  calls: number,
  bench: Bench,
): Promise<readonly string[]> {
  bench.say(`counting ${count(calls)} rows by ${count(policies.length)} keys`);
  const wrong: string[] = [];
  let rows = 0;
  for (const [index, { keyId }] of policies.entries()) {
    let [wantedCalls, wanted] = [0, 0n];
    for (let n = index; n < calls; n += policies.length) {
      wantedCalls++;
      wanted += microsOf(n);
    }
    const { seen, dollars } = await pagesOf(keyId, reader);
    rows += seen;
    const { window } = await reader.spent(keyId, 0, false);
    if (seen !== wantedCalls || dollars !== wanted || window !== wanted)
      wrong.push(
        `${keyId}: ${wantedCalls} calls of ${wanted} micro-dollars were made; the pages have ${seen} of ${dollars}, the sum ${window}`,
      );
  }
  if (rows !== calls) wrong.push(`${calls} calls were made, the pages have ${rows}`);
  return wrong.slice(0, 5);
}

async function pagesOf(keyId: string, reader: DynamoAuditReader) {
  const query: AuditQuery = {
    vendor: null,
    fromMs: 0,
    toMs: START_MS * 2,
    label: null,
    keyId,
    callId: null,
    state: null,
    decision: null,
    overrun: null,
    limit: 100,
    before: null,
  };
  let [seen, dollars] = [0, 0n];
  for (let before: string | null = null; ; ) {
    const { rows, next } = await queryAudit(
      { ...query, before },
      { vendors: ["stripe"], caller: ADMIN },
      reader,
    );
    seen += rows.length;
    for (const { fields } of rows) dollars += fields.cost ?? 0n;
    if (next === null) return { seen, dollars };
    before = next;
  }
}
