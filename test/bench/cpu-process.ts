import { readFileSync } from "node:fs";
import type { FunctionName } from "../../lib/services.ts";
import { loadFunctions } from "../../local/aws/functions.ts";
import { invocationContext } from "../../local/aws/invocation.ts";
import { requestsOf, type SameRequests } from "./same-requests.ts";

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
  /** The vault key of the events, and another: then their requests are made again for it by node:http alone, by turns. */
  readonly bareFor?: readonly [string, string];
}

export interface CpuAnswer {
  /** Milliseconds of CPU for an event, user and system, as the mean of each chunk. */
  readonly cpuMs: readonly number[];
  /** The same of the requests alone; none unless they were asked for. */
  readonly bareMs: readonly number[];
  /** What the first and the last event were answered with. */
  readonly answers: readonly unknown[];
}

async function run({ dist, name, eventsFile, warmUp, chunk, bareFor }: CpuTask): Promise<CpuAnswer> {
  const events: readonly unknown[] = JSON.parse(readFileSync(eventsFile, "utf8"));
  const invoke = loadFunctions(dist, [name]);
  let last: unknown;
  const call = async (event: unknown) => {
    last = await invoke(name, event, invocationContext(name));
  };
  await call(events[0]);
  const first = last;
  for (const event of events.slice(1, warmUp)) await call(event);
  const bareChunk = bareFor && bareChunks(await requestsOf(() => call(events[warmUp]), bareFor), chunk);
  if (bareChunk !== undefined) for (let at = 0; at < warmUp / 4; at += chunk) await bareChunk();
  const cpuMs: number[] = [];
  const bareMs: number[] = [];
  for (let at = warmUp + (bareFor === undefined ? 0 : 1); at + chunk <= events.length; at += chunk) {
    const some = events.slice(at, at + chunk);
    cpuMs.push(
      (await cpuOf(async () => {
        for (const event of some) await call(event);
      })) / chunk,
    );
    if (bareChunk !== undefined) bareMs.push(await bareChunk());
  }
  return { cpuMs, bareMs, answers: [first, last] };
}

/** Sends the requests of as many calls as a chunk has; milliseconds of CPU for one of them. */
function bareChunks(requests: SameRequests, chunk: number): () => Promise<number> {
  let sent = 0;
  return async () => {
    const calls = Array.from({ length: chunk }, () => requests.prepared(++sent));
    const taken = await cpuOf(async () => {
      for (const call of calls) await requests.send(call);
    });
    return taken / chunk;
  };
}

/** Milliseconds of CPU that this process takes meanwhile, user and system. */
async function cpuOf(work: () => Promise<void>): Promise<number> {
  const before = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1_000;
}

if (import.meta.main) {
  const task: CpuTask = JSON.parse(process.argv[2] ?? "null");
  process.stdout.write(JSON.stringify(await run(task)), () => process.exit(0));
}
