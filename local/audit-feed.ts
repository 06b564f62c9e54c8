import { randomUUID } from "node:crypto";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { DynamoDBStreamEvent } from "aws-lambda";
import { type Consume, replay } from "../lib/dead-letter-replay.ts";
import { lettersIn } from "./aws/dead-letters.ts";
import type { LocalDynamoDb } from "./aws/dynamodb.ts";
import { type Invoke, invocationContext } from "./aws/invocation.ts";
import { startStreamPoller } from "./aws/stream-poller.ts";
import { startStreamTrim } from "./aws/stream-trim.ts";
import { TABLES } from "./aws/tables.ts";
import type { Decision } from "./decision-line.ts";
import { consumedOf, decisionsFrom } from "./decisions.ts";
import { described } from "./start-error.ts";
import { startStopsFeed } from "./stops-feed.ts";

const CONSUMER = "record-audit";
const DRAIN_MS_MAX = 5_000;

export interface AuditFeedOptions {
  readonly dynamodb: LocalDynamoDb;
  readonly invoke: Invoke;
  /** File that outlives the run: what is left to record is kept beside it. */
  readonly dataFile: string | undefined;
  /** Told in a sentence what needs a person. */
  readonly announce: (message: string) => void;
  /** Told each decision once it is in the audit log; nothing is read for it unless given. */
  readonly onDecision: ((decision: Decision) => void) | undefined;
}

export interface AuditFeed {
  /**
   * Resolves when every change of the Vault before the call is in the audit table, or in a dead letter, and the keys of every
   * stop before the call are revoked.
   */
  drain(): Promise<void>;
  /** Waits a while for what is left to record, and ends. */
  close(): Promise<void>;
}

/** Feeds the changes of the Vault to the functions that record them and that revoke the keys of stops, trims what it has, and tells the decisions in them. */
export async function startAuditFeed(options: AuditFeedOptions): Promise<AuditFeed> {
  const { dynamodb, invoke, dataFile, announce, onDecision } = options;
  const { client, endpoint, engineFile } = dynamodb;
  const [table] = TABLES;
  const decisionsIn = onDecision && decisionsFrom(client);
  const stops = startStopsFeed(invoke, announce);
  const consume = async (event: DynamoDBStreamEvent) => {
    stops.see(event.Records);
    const answer = await invokeConsumer(invoke, event, announce);
    try {
      const decisions = await decisionsIn?.(consumedOf(event.Records, answer));
      for (const decision of decisions ?? []) onDecision?.(decision);
    } catch (error) {
      announce(`a decision cannot be shown here (the audit log has it): ${String(error)}`);
    }
    return answer;
  };

  const deadLetterDirectory = dataFile
    ? `${dataFile}.dead-letters`
    : join(tmpdir(), `keybrake-dead-letters-${randomUUID()}`);
  await replayLetters(deadLetterDirectory, invoke, announce);
  const trim =
    engineFile && startStreamTrim({ file: engineFile, table: table.name, announce, tell: announce });
  const poller = await startStreamPoller({
    client,
    endpoint,
    table,
    functionName: CONSUMER,
    invoke: consume,
    checkpointFile: dataFile && `${dataFile}.checkpoint`,
    deadLetterDirectory,
    trim,
    announce,
  });
  /** Revoking the keys of a stop makes changes again. */
  const drain = async () => {
    do {
      await stops.idle();
      await poller.drain();
    } while (stops.isBusy());
  };
  return {
    drain,
    close: async () => {
      await Promise.race([drain(), delay(DRAIN_MS_MAX, undefined, { ref: false })]);
      await poller.close();
      await trim?.close();
    },
  };
}

/**
 * Tries once more what no run before could record: this version may read it, or what was in its way is gone. A letter that
 * stays would keep the budget of its key held for ever, since what crashed is resolved on complete evidence alone.
 */
async function replayLetters(
  directory: string,
  invoke: Invoke,
  announce: (message: string) => void,
): Promise<void> {
  const consume: Consume = (event) => invoke(CONSUMER, event, invocationContext(CONSUMER));
  const { recorded, left } = await replay(lettersIn(directory), consume, () => {});
  if (recorded > 0) announce(`${recorded} dead letter(s) in ${directory} are recorded now, and removed`);
  const [first] = left;
  if (first !== undefined)
    announce(
      `${left.length} dead letter(s) in ${directory} still cannot be recorded; the first, ${first.name}: ${first.reason}`,
    );
}

/** What a consumer throws would otherwise show only once its retries have run out. */
async function invokeConsumer(
  invoke: Invoke,
  event: DynamoDBStreamEvent,
  announce: (message: string) => void,
): Promise<unknown> {
  try {
    return await invoke(CONSUMER, event, invocationContext(CONSUMER));
  } catch (error) {
    announce(`${CONSUMER} threw: ${described(error)}`);
    throw error;
  }
}
