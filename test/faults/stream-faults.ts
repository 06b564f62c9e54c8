import type { DynamoDBBatchResponse, DynamoDBRecord, DynamoDBStreamEvent } from "aws-lambda";
import type { Invoke } from "../../local/aws/invocation.ts";
import { Random } from "../simulation/random.ts";
import { seedOf } from "./weather.ts";

const CONSUMER = "record-audit";

/** How likely each is, for a batch. */
const CHANCES = { doubled: 0.1, reordered: 0.2, answer_lost: 0.05, died: 0.05 } as const;
/** One in so many records cannot be read, and ends as a dead letter after ten tries, some 15 seconds later. */
const POISONED_ONE_IN = 1_500;

export interface StreamFaults {
  readonly random: Random;
  readonly isCalm: () => boolean;
  readonly tell: (kind: string, what: string) => void;
  /** Whether a record cannot be read: the same ones for every process of a round. */
  isPoisoned(record: DynamoDBRecord): boolean;
  calm(): void;
}

export interface StreamSeeds {
  /** Of this process. */
  readonly seed: number;
  /** Of all processes of a round. */
  readonly roundSeed: number;
}

export function openStreamFaults(
  { seed, roundSeed }: StreamSeeds,
  tell: (kind: string, what: string) => void,
): StreamFaults {
  const random = new Random(seedOf(seed, "stream"));
  const poisoned = new Set<string>();
  let calm = false;
  return {
    random,
    isCalm: () => calm,
    tell,
    isPoisoned({ dynamodb }) {
      const number = dynamodb?.SequenceNumber ?? "";
      if (calm || poisoned.has(number)) return poisoned.has(number);
      if (seedOf(roundSeed, "poison", number) % POISONED_ONE_IN !== 0) return false;
      poisoned.add(number);
      tell("record_poisoned", dynamodb?.Keys?.["sk"]?.S ?? "");
      return true;
    },
    calm() {
      calm = true;
    },
  };
}

/** Disturbs what the consumer of the stream gets, and what is known of how it did. All else passes as it is. */
export function disturbed(invoke: Invoke, faults: StreamFaults): Invoke {
  return async (name, event, context) => {
    const records = name === CONSUMER ? (event as Partial<DynamoDBStreamEvent>).Records : undefined;
    if (records === undefined) return invoke(name, event, context);
    const { random, tell } = faults;
    const happens = (kind: keyof typeof CHANCES): boolean => {
      const does = !faults.isCalm() && random.chance(CHANCES[kind]);
      if (does) tell(`batch_${kind}`, CONSUMER);
      return does;
    };
    const readable = records.map((record) => (faults.isPoisoned(record) ? spoilt(record) : record));
    const isReordered = happens("reordered");
    const given = isReordered ? reordered(readable, random) : readable;
    if (happens("died")) throw new Error("the consumer died before it began");
    const twice = happens("doubled");
    if (twice) await invoke(name, { Records: doubled(given, random) }, context);
    const answer = await invoke(name, { Records: given }, context);
    // What the answer says of the order that was given is not true of the one that the poller knows.
    if (isReordered && hasFailures(answer)) throw new Error("a record of a batch in another order failed");
    if (happens("answer_lost")) throw new Error("the consumer died after its work");
    return answer;
  };
}

const hasFailures = (answer: unknown): boolean =>
  ((answer as Partial<DynamoDBBatchResponse> | null)?.batchItemFailures ?? []).length > 0;

/** A record of a kind that nobody knows. */
const spoilt = (record: DynamoDBRecord): DynamoDBRecord => ({
  ...record,
  dynamodb: { ...record.dynamodb, Keys: { ...record.dynamodb?.Keys, sk: { S: "UNREADABLE" } } },
});

/** Some records a second time, behind themselves. */
const doubled = (records: readonly DynamoDBRecord[], random: Random): DynamoDBRecord[] =>
  records.flatMap((record) => (random.chance(0.3) ? [record, record] : [record]));

/** In another order, but those of one item in their own: that is all that a stream promises. */
export function reordered(records: readonly DynamoDBRecord[], random: Random): DynamoDBRecord[] {
  const byItem = new Map<string, DynamoDBRecord[]>();
  for (const record of records) {
    const item = JSON.stringify(record.dynamodb?.Keys);
    byItem.set(item, [...(byItem.get(item) ?? []), record]);
  }
  const queues = [...byItem.values()];
  const order: DynamoDBRecord[] = [];
  while (queues.length > 0) {
    const at = random.int(queues.length);
    const [next] = queues[at]?.splice(0, 1) ?? [];
    if (next === undefined) queues.splice(at, 1);
    else order.push(next);
  }
  return order;
}
