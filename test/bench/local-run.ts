import { readdirSync, readFileSync } from "node:fs";
import { timed } from "./client.ts";
import { residentBytes } from "./processes.ts";
import { payment, startProduct, succeed } from "./product.ts";
import { atMost, type Bench, count, median, ms, ratio, type Section, told } from "./section.ts";

const AT_ONCE = 16;
const GOAL = 1.1;

/** That the local run is as fast after many calls as it was at first. */
export const localRun: Section = {
  name: "local",
  title: "A local run after many calls",
  how: "Payments at 16 at once through `npm start`: medians of the first calls after a warm-up and of the last ones, and the memory of the processes then. `--local-calls` sets how many.",
  async run(bench) {
    const product = await startProduct();
    try {
      const { client, key } = product;
      const calls = bench.options.smoke ? 600 : bench.number("local-calls");
      const part = Math.min(2_000, Math.floor(calls / 4));
      const pay = () => succeed(client, payment(key.token));
      await timed(part / 2, AT_ONCE, pay);
      const first = await timed(part, AT_ONCE, pay);
      const memoryBefore = memoryOf(product.run.dynamodbEndpoint);
      await between(calls - 2 * part, bench, pay);
      const last = await timed(part, AT_ONCE, pay);
      const memoryAfter = memoryOf(product.run.dynamodbEndpoint);
      return {
        figures: [
          atMost(
            `a call of the last ${count(part)}, over one of the first`,
            median(last.each) / median(first.each),
            GOAL,
            ratio,
          ),
          told("  first, last", `${ms(median(first.each))}, ${ms(median(last.each))}`),
          told(
            "  calls a second, first and last",
            `${Math.round((part / first.all) * 1000)}, ${Math.round((part / last.all) * 1000)}`,
          ),
          told("calls in all", count(calls)),
          told("memory of engine and product, first and last", `${memoryBefore}; ${memoryAfter}`),
        ],
        wrong: [],
      };
    } finally {
      await product.close();
    }
  },
};

async function between(calls: number, bench: Bench, pay: () => Promise<void>): Promise<void> {
  const step = Math.max(1_000, Math.ceil(calls / 10));
  for (let done = 0; done < calls; ) {
    const now = Math.min(step, calls - done);
    const { all } = await timed(now, AT_ONCE, pay);
    done += now;
    bench.say(`${count(done)} of ${count(calls)} calls, ${Math.round((now / all) * 1000)} a second`);
  }
}

/** Resident memory of our child processes: the engine, and the product that started it. */
function memoryOf(dynamodbEndpoint: string): string {
  const { port } = new URL(dynamodbEndpoint);
  const processes = readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map((name) => ({ pid: Number(name), command: commandOf(name) }));
  const mb = (pids: readonly { readonly pid: number }[]) =>
    `${Math.round(pids.reduce((sum, { pid }) => sum + residentBytes(pid), 0) / 1e6)} MB`;
  const engine = processes.filter(
    ({ command }) => command[0]?.endsWith("dynoxide") === true && command.includes(port),
  );
  const own = processes.filter(
    ({ pid, command }) => command[1]?.endsWith("bin/local.ts") === true && parentOf(pid) === process.pid,
  );
  return `${mb(engine)}, ${mb(own)}`;
}

/** The parent of a process stands behind its name and its state (proc_pid_stat(5)). */
function parentOf(pid: number): number {
  try {
    return Number(/\) \S (\d+)/.exec(readFileSync(`/proc/${pid}/stat`, "utf8"))?.[1]);
  } catch {
    return 0;
  }
}

function commandOf(pid: string): readonly string[] {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0");
  } catch {
    return [];
  }
}
