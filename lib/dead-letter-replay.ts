/**
 * Gives the consumer of a stream once more what it could not record. What it records is removed; what fails again stays.
 *
 * Nothing can be recorded twice: the events have deterministic ids and are put on condition (docs/data.md). So a replay may be
 * broken off and repeated, and may run while the stream is being read.
 */

export interface DeadLetters {
  /** Names of the letters, in the order in which they were written. */
  names(): AsyncIterable<string>;
  read(name: string): Promise<string>;
  remove(name: string): Promise<void>;
}

/** Runs the consumer with these stream records; throws when it throws. */
export type Consume = (event: { readonly Records: readonly unknown[] }) => Promise<unknown>;

export interface Replayed {
  readonly recorded: number;
  /** Letters that stay, each with the reason. */
  readonly left: readonly { readonly name: string; readonly reason: string }[];
}

/** `tell` gets one line for each letter. */
export async function replay(
  letters: DeadLetters,
  consume: Consume,
  tell: (line: string) => void,
): Promise<Replayed> {
  const left: { name: string; reason: string }[] = [];
  let recorded = 0;
  for await (const name of letters.names()) {
    const reason = await replayOne(await letters.read(name), consume);
    if (reason === null) {
      await letters.remove(name);
      recorded++;
    } else {
      left.push({ name, reason });
    }
    tell(`${reason === null ? "recorded" : "left    "}  ${name}${reason === null ? "" : `: ${reason}`}`);
  }
  return { recorded, left };
}

/** Null where every record of the letter is recorded, else why not. */
async function replayOne(text: string, consume: Consume): Promise<string | null> {
  const records = recordsOf(text);
  if (records === null) return "this is not a dead letter of a stream: it has no payload with Records";
  if ((await failureOf(records, consume)) === null) return null;
  // The consumer stops at the first record that it cannot record, so those after it get a turn of their own.
  const failures: string[] = [];
  for (const record of records) {
    const failure = await failureOf([record], consume);
    if (failure !== null) failures.push(failure);
  }
  const [first] = failures;
  return first === undefined ? null : `${failures.length} of ${records.length} records fail: ${first}`;
}

async function failureOf(records: readonly unknown[], consume: Consume): Promise<string | null> {
  try {
    const answer = await consume({ Records: records });
    const failed = field(answer, "batchItemFailures");
    if (!Array.isArray(failed)) return "the function does not answer like a consumer of a stream";
    const [first] = failed;
    if (first === undefined) return null;
    return `the record ${String(field(first, "itemIdentifier"))} cannot be recorded; see the function's log`;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** Lambda has written the payload as an object and, by its documentation, as text (read 2026-11-23): both are read. */
function recordsOf(text: string): readonly unknown[] | null {
  const payload = field(parsed(text), "payload");
  const records = field(typeof payload === "string" ? parsed(payload) : payload, "Records");
  return Array.isArray(records) && records.length > 0 ? records : null;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

const field = (value: unknown, name: string): unknown =>
  typeof value === "object" && value !== null ? Reflect.get(value, name) : undefined;
