import type { Context, DynamoDBBatchResponse, DynamoDBStreamEvent } from "aws-lambda";
import { DynamoAnnouncements } from "../adapters/dynamo-announcements.ts";
import { DynamoAttemptJournal } from "../adapters/dynamo-attempt-journal.ts";
import { DynamoAuditLog } from "../adapters/dynamo-audit-log.ts";
import { DynamoEvidence } from "../adapters/dynamo-evidence.ts";
import { DynamoNames } from "../adapters/dynamo-names.ts";
import { DynamoSpending } from "../adapters/dynamo-spending.ts";
import { EventBridge, eventBridgeClient } from "../adapters/event-bridge.ts";
import { changeFrom } from "../adapters/vault-changes.ts";
import { EVENT_SOURCE, outgoingEvent } from "../announcement-wire.ts";
import { announce, sendKept } from "../app/announce/announce.ts";
import { ratesExceeded } from "../app/announce/rates.ts";
import { announcementsFor, type Recorded } from "../app/announce/recorded.ts";
import { recordAudit } from "../app/audit/record-audit.ts";
import { sweepJournal } from "../app/audit/sweep-journal.ts";
import { wakeResolver } from "../app/resolve/wake-resolver.ts";
import type { Announcement } from "../domain/announcement.ts";
import { fromUsdText } from "../domain/money.ts";
import { ENV, METRICS, WAKE_EVENT } from "../environment.ts";
import type { SendResult } from "../ports/announcements.ts";
import type { AuditLog } from "../ports/audit.ts";
import { count } from "./metrics.ts";
import { vendors } from "./vendors.ts";
import { callVault, clients, dueList, required, systemClock, tableLayout, warn } from "./wiring.ts";

const dynamo = clients();
const RETENTION_DAYS = 400;
/** What the sweep leaves of its time for the write that is under way. */
const SPARE_MS = 5_000;
const retentionDays = Number(process.env[ENV.auditRetentionDays] ?? RETENTION_DAYS);
const table = new DynamoAuditLog(dynamo.steady, required(ENV.auditTable), retentionDays, systemClock);
const names = new DynamoNames(dynamo.steady, required(ENV.auditTable), retentionDays, systemClock);
/** What an operator has to look at is counted once it is recorded; a record that comes again is counted again. */
const log: AuditLog = {
  async append(events) {
    // First: what comes again finds its names noted, while a sum without a name would be shown nowhere.
    await names.note(events);
    await table.append(events);
    count(METRICS.overrun, events.filter(({ fields }) => fields.overrun === true).length);
    count(METRICS.unresolved, events.filter(({ event }) => event === "unresolved").length);
  },
};
const bridge = eventBridgeClient();
const announcing = {
  sender: new EventBridge(bridge, required(ENV.eventBus), EVENT_SOURCE),
  register: new DynamoAnnouncements(dynamo.steady, required(ENV.auditTable), systemClock),
  // Read when it is needed: a local run knows its address only once it listens.
  written: (announcement: Announcement) =>
    outgoingEvent(announcement, { baseUrl: required(ENV.baseUrl), redact: vendors.secrets.redact }),
};
const waker = new EventBridge(bridge, required(ENV.eventBus), WAKE_EVENT.source);
const spending = new DynamoSpending(dynamo.steady, required(ENV.auditTable));
const ports = {
  vault: callVault(dynamo),
  log,
  journal: new DynamoAttemptJournal(dynamo.steady, required(ENV.auditTable), systemClock),
  evidence: new DynamoEvidence(dynamo.steady, required(ENV.auditTable), systemClock),
  dueList: dueList(dynamo),
  clock: systemClock,
  wake: async () => {
    const { unsent, cause } = await waker.send([
      { id: WAKE_EVENT.type, type: WAKE_EVENT.type, detail: "{}" },
    ]);
    if (unsent.length > 0) throw new Error("the resolver could not be woken", { cause });
  },
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
  // First: a sweep that takes too long must not keep the resolver from what is due already.
  const [woken] = await Promise.allSettled([wakeResolver(ports)]);
  await told(() => sendKept(announcing));
  await told(async () => announce(await dearRuns(), announcing));
  const afterMs = Number(required(ENV.resolveAfterS)) * 1000;
  const untilMs = systemClock.now() + context.getRemainingTimeInMillis() - SPARE_MS;
  const { put } = await sweepJournal(ports, { afterMs, untilMs });
  // Without a look, which need not show them yet.
  if (put > 0) await ports.wake();
  // Only now, so that the sweep is done all the same: an alarm rings.
  if (woken.status === "rejected") throw woken.reason;
  return { batchItemFailures: [] };
}

/**
 * Stops at the first record that cannot be recorded and reports just that one: the
 * lowest number returned is the checkpoint, and everything from it comes again (AWS documentation, read 2026-11-22).
 */
async function record(event: DynamoDBStreamEvent): Promise<DynamoDBBatchResponse> {
  const changes = event.Records.map((record) => () => changeFrom(record));
  const writtenAtMs = event.Records.map(
    ({ dynamodb }) => (dynamodb?.ApproximateCreationDateTime ?? 0) * 1000,
  );
  const failure = await recordAudit(changes, { ...ports, writtenAtMs, afterwards });
  if (failure === null) return { batchItemFailures: [] };
  count(METRICS.auditFailure);
  warn("a change could not be recorded in the audit log", failure.cause);
  const itemIdentifier = event.Records[failure.failedAt]?.dynamodb?.SequenceNumber ?? "";
  return { batchItemFailures: [{ itemIdentifier }] };
}

/** What is on the log now is announced. */
const afterwards = (recorded: Recorded): Promise<void> =>
  told(async () => announce(await announcementsFor(recorded, ports.vault), announcing));

/** The runs that spend faster than is allowed, where that is configured. */
async function dearRuns(): Promise<readonly Announcement[]> {
  const usd = process.env[ENV.spendRateUsd];
  return usd ? ratesExceeded(fromUsdText(usd), spending, systemClock.now()) : [];
}

/** Events never stand in the way of the log: what fails is counted, and said. */
async function told(send: () => Promise<SendResult>): Promise<void> {
  try {
    const { unsent, cause } = await send();
    if (unsent.length === 0) return;
    count(METRICS.eventFailure, unsent.length);
    warn(`${unsent.length} events were not taken; they are kept and sent again`, cause);
  } catch (cause) {
    count(METRICS.eventFailure);
    warn("events could not be sent or kept", cause);
  }
}
