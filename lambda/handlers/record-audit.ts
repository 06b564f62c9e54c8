import type { Context, DynamoDBBatchResponse, DynamoDBStreamEvent } from "aws-lambda";
import { DynamoAttemptJournal } from "../adapters/dynamo-attempt-journal.ts";
import { DynamoAuditLog } from "../adapters/dynamo-audit-log.ts";
import { changeFrom } from "../adapters/vault-changes.ts";
import { recordAudit } from "../app/audit/record-audit.ts";
import { tellOpen } from "../app/audit/tell-open.ts";
import { ENV, METRICS } from "../environment.ts";
import type { AuditLog } from "../ports/audit.ts";
import { count } from "./metrics.ts";
import { clients, dynamoVault, required, systemClock, tableLayout, warn } from "./wiring.ts";

const dynamo = clients();
const RETENTION_DAYS = 400;
/** What the sweep leaves of its time for the write that is under way. */
const SPARE_MS = 5_000;
const table = new DynamoAuditLog(
  dynamo.steady,
  required(ENV.auditTable),
  Number(process.env[ENV.auditRetentionDays] ?? RETENTION_DAYS),
);
/** What an operator has to look at is counted once it is recorded; a record that comes again is counted again. */
const log: AuditLog = {
  async append(events) {
    await table.append(events);
    count(METRICS.overrun, events.filter(({ fields }) => fields.overrun === true).length);
    count(METRICS.unresolved, events.filter(({ event }) => event === "unresolved").length);
  },
};
const ports = {
  vault: dynamoVault(dynamo),
  log,
  journal: new DynamoAttemptJournal(dynamo.steady, required(ENV.auditTable), systemClock),
  clock: systemClock,
};
const layout = tableLayout(dynamo, false);

/** The stream of the Vault table; or, on a schedule, whatever the stream told no end of. */
export const handler = async (
  event: Partial<DynamoDBStreamEvent>,
  context: Context,
): Promise<DynamoDBBatchResponse> => {
  // Thrown: the batch comes again, and ends whole in dead letters, which the newer version replays.
  await layout.check();
  return event.Records === undefined ? sweep(context) : record({ Records: event.Records });
};

async function sweep(context: Context): Promise<DynamoDBBatchResponse> {
  const afterMs = Number(required(ENV.resolveAfterS)) * 1000;
  const untilMs = systemClock.now() + context.getRemainingTimeInMillis() - SPARE_MS;
  await tellOpen(ports, { afterMs, untilMs });
  return { batchItemFailures: [] };
}

/**
 * Stops at the first record that cannot be recorded and reports just that one: the
 * lowest number returned is the checkpoint, and everything from it comes again (AWS documentation, read 2026-11-22).
 */
async function record(event: DynamoDBStreamEvent): Promise<DynamoDBBatchResponse> {
  const changes = event.Records.map((record) => () => changeFrom(record));
  const failure = await recordAudit(changes, ports);
  if (failure === null) return { batchItemFailures: [] };
  count(METRICS.auditFailure);
  warn("a change could not be recorded in the audit log", failure.cause);
  const itemIdentifier = event.Records[failure.failedAt]?.dynamodb?.SequenceNumber ?? "";
  return { batchItemFailures: [{ itemIdentifier }] };
}
