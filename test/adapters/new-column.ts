import { marshall } from "@aws-sdk/util-dynamodb";
import { DynamoAuditLog } from "../../lambda/adapters/dynamo-audit-log.ts";
import { DynamoAuditReader } from "../../lambda/adapters/dynamo-audit-reader.ts";
import { changeFrom } from "../../lambda/adapters/vault-changes.ts";
import { callItem } from "../../lambda/adapters/vault-items/call-item.ts";
import { recordAudit } from "../../lambda/app/audit/record-audit.ts";
import type { CallRecord } from "../../lambda/domain/call/record.ts";
import { auditAnswer } from "../../lambda/http/audit-answer.ts";
import { auditTable } from "../support/audit-table.ts";
import { MemoryEvidence, MemoryJournal } from "../support/memory-audit.ts";
import { CALLS, POLICIES } from "./stored-values.ts";

/**
 * Run in a copy of the sources whose table of columns has one more (new-column.test.ts): fills it in, as the proxy would,
 * and prints the answer of `GET /vault/audit`.
 */
const [field = "", value = ""] = process.argv.slice(2);
const { policy } = POLICIES;
const record = CALLS["freeCall"];
if (policy === undefined || record === undefined) throw new Error("there is no stored call");

const filled: CallRecord = {
  ...record,
  attempts: Object.fromEntries(
    Object.entries(record.attempts).map(([attemptId, attempt]) => [
      attemptId,
      { ...attempt, outcome: attempt.outcome === null ? null : { ...attempt.outcome, [field]: value } },
    ]),
  ),
};
const image = callItem(filled);
const { client } = auditTable();
const failure = await recordAudit(
  [
    () =>
      changeFrom({
        dynamodb: { Keys: marshall({ pk: "CALL#call_free", sk: "CALL" }), NewImage: image },
      } as Parameters<typeof changeFrom>[0]),
  ],
  {
    vault: {
      policies: {
        read: async () => policy,
        readAll: async () => new Map([[policy.keyId, policy]]),
        create: async () => "created",
      },
    },
    log: new DynamoAuditLog(client, "audit", 400, { now: () => 0 }),
    journal: new MemoryJournal(),
    evidence: new MemoryEvidence(),
  },
);
if (failure !== null) throw failure.cause;
const { rows } = await new DynamoAuditReader(client, "audit").page({
  part: { kind: "key", keyId: "key_leaf", shard: 0 },
  fromMs: 0,
  toMs: Date.parse("2027-01-01"),
  before: null,
  limit: 10,
});
const answer = { rows: rows.map(({ row }) => row), next: null };
console.log(
  auditAnswer(answer, { format: "json", withEvents: true, nextCursor: null, requestId: "req" }).body,
);
