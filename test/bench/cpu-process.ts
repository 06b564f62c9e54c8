import { readFileSync } from "node:fs";
import type { FunctionName } from "../../lib/services.ts";
import { loadFunctions } from "../../local/aws/functions.ts";
import { invocationContext } from "../../local/aws/invocation.ts";

/**
 * A process that holds one function alone, as Lambda does: told as JSON in its first argument what to invoke it with, it
 * answers with the CPU that each chunk took. Nothing else runs here, so `process.cpuUsage` is the function's.
 */
export interface CpuTask {
  readonly dist: string;
  readonly name: FunctionName;
  /** File with a JSON array of events, which are handed over one after another. */
  readonly eventsFile: string;
  /** Events that are not counted: until the code is compiled and the connections are open. */
  readonly warmUp: number;
  /** Events between two readings of the clock. */
  readonly chunk: number;
}

export interface CpuAnswer {
  /** Milliseconds of CPU for an event, user and system, as the mean of each chunk. */
  readonly cpuMs: readonly number[];
  /** What the first and the last event were answered with. */
  readonly answers: readonly unknown[];
}

async function run({ dist, name, eventsFile, warmUp, chunk }: CpuTask): Promise<CpuAnswer> {
  const events: readonly unknown[] = JSON.parse(readFileSync(eventsFile, "utf8"));
  const invoke = loadFunctions(dist, [name]);
  const one = (event: unknown) => invoke(name, event, invocationContext(name));
  let last: unknown;
  const first = await one(events[0]);
  for (const event of events.slice(1, warmUp)) await one(event);
  const cpuMs: number[] = [];
  for (let at = warmUp; at + chunk <= events.length; at += chunk) {
    const before = process.cpuUsage();
    for (const event of events.slice(at, at + chunk)) last = await one(event);
    const { user, system } = process.cpuUsage(before);
    cpuMs.push((user + system) / 1_000 / chunk);
  }
  return { cpuMs, answers: [first, last] };
}

if (import.meta.main) {
  const task: CpuTask = JSON.parse(process.argv[2] ?? "null");
  process.stdout.write(JSON.stringify(await run(task)), () => process.exit(0));
}
