import { readFile, rename, writeFile } from "node:fs/promises";

/** How far one shard is consumed. */
export interface ShardPosition {
  readonly sequenceNumber: string;
  /** Tells the record from another one with the same number, in a file that was put back to an older state, say. */
  readonly digest: string;
}

export type Positions = ReadonlyMap<string, ShardPosition>;

/** Reads how far `streamArn` is consumed: nowhere when the file is absent, unreadable, or of another stream. */
export async function readCheckpoint(file: string, streamArn: string): Promise<Positions> {
  try {
    const saved: unknown = JSON.parse(await readFile(file, "utf8"));
    if (!isObject(saved) || saved["streamArn"] !== streamArn || !isObject(saved["shards"])) return new Map();
    return new Map(Object.entries(saved["shards"]).filter(isPosition));
  } catch {
    return new Map();
  }
}

/** Writes it whole or not at all: after a crash the file holds this position or the one before. */
export async function writeCheckpoint(file: string, streamArn: string, positions: Positions): Promise<void> {
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
