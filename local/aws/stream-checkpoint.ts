import { createHash } from "node:crypto";
import { readFile, rename, writeFile } from "node:fs/promises";
import type { DynamoDBRecord } from "aws-lambda";

/** How far one shard is consumed. */
export interface ShardPosition {
  readonly sequenceNumber: string;
  /** Tells the record from another one with the same number, in a file that was put back to an older state, say. */
  readonly digest: string;
}

/** How far each shard of a stream is consumed. */
export interface Checkpoint {
  /** Undefined where nothing is known. */
  position(shardId: string): ShardPosition | undefined;
  forget(shardId: string): void;
  /** Moves a shard's position to this record. It outlives the process once this resolves, if it has a file. */
  advance(shardId: string, last: ShardPosition): Promise<void>;
}

/** The checkpoint in `file`; without a file it begins nowhere, and ends with the process. */
export async function openCheckpoint(file: string | undefined, streamArn: string): Promise<Checkpoint> {
  const positions = file === undefined ? new Map() : await readCheckpoint(file, streamArn);
  return {
    position: (shardId) => positions.get(shardId),
    forget: (shardId) => positions.delete(shardId),
    advance: async (shardId, last) => {
      positions.set(shardId, last);
      if (file !== undefined) await writeCheckpoint(file, streamArn, positions);
    },
  };
}

/** The position at a record; undefined where it has no number. */
export function positionAt({ dynamodb }: DynamoDBRecord): ShardPosition | undefined {
  const sequenceNumber = dynamodb?.SequenceNumber;
  if (sequenceNumber === undefined) return undefined;
  const keys = Object.entries(dynamodb?.Keys ?? {}).sort(([one], [other]) => (one < other ? -1 : 1));
  const identity = [sequenceNumber, dynamodb?.ApproximateCreationDateTime, keys];
  return { sequenceNumber, digest: createHash("sha256").update(JSON.stringify(identity)).digest("hex") };
}

type Positions = Map<string, ShardPosition>;

/** Reads how far `streamArn` is consumed: nowhere when the file is absent, unreadable, or of another stream. */
async function readCheckpoint(file: string, streamArn: string): Promise<Positions> {
  try {
    const saved: unknown = JSON.parse(await readFile(file, "utf8"));
    if (!isObject(saved) || saved["streamArn"] !== streamArn || !isObject(saved["shards"])) return new Map();
    return new Map(Object.entries(saved["shards"]).filter(isPosition));
  } catch {
    return new Map();
  }
}

/** Writes it whole or not at all: after a crash the file holds this position or the one before. */
async function writeCheckpoint(file: string, streamArn: string, positions: Positions): Promise<void> {
  const saved = { streamArn, shards: Object.fromEntries(positions) };
  await writeFile(`${file}.new`, JSON.stringify(saved));
  await rename(`${file}.new`, file);
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null;

function isPosition(entry: [string, unknown]): entry is [string, ShardPosition] {
  const [, position] = entry;
  return (
    isObject(position) &&
    typeof position["sequenceNumber"] === "string" &&
    typeof position["digest"] === "string"
  );
}
