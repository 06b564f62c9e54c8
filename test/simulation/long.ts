import { randomInt } from "node:crypto";
import { runSchedule } from "./schedule.ts";

/**
 * `npm run simulate`: schedules without end, or SIMULATION_SCHEDULES of them; SIMULATION_SEED replays one and tells
 * it step by step. Ends with 1 at the first promise that is broken, and says its seed.
 */
const replayed = process.env["SIMULATION_SEED"];
if (replayed !== undefined) await replay(Number(replayed));
else await search(Number(process.env["SIMULATION_FROM"] ?? randomInt(2 ** 31)), wanted());

function wanted(): number {
  const text = process.env["SIMULATION_SCHEDULES"];
  return text === undefined ? Number.POSITIVE_INFINITY : Number(text);
}

async function replay(seed: number): Promise<void> {
  const { trace, violation } = await runSchedule(seed, true);
  for (const line of trace) console.log(line);
  if (violation === null) console.log(`seed ${seed}: every promise was kept`);
  else {
    console.log(`seed ${seed}: promise ${violation.promise}: ${violation.message}`);
    process.exitCode = 1;
  }
}

async function search(from: number, schedules: number): Promise<void> {
  const reached = new Map<string, number>();
  let steps = 0;
  for (let done = 0; done < schedules; done++) {
    const result = await runSchedule(from + done);
    steps += result.steps;
    for (const [what, times] of result.reached) reached.set(what, (reached.get(what) ?? 0) + times);
    if (result.violation !== null) {
      const { promise, message } = result.violation;
      console.log(`seed ${result.seed}: promise ${promise}: ${message}`);
      console.log(`replay it with SIMULATION_SEED=${result.seed} npm run simulate`);
      process.exitCode = 1;
      return;
    }
    if ((done + 1) % 1_000 === 0) console.log(`${done + 1} schedules, ${steps} steps, from seed ${from}`);
  }
  for (const [what, times] of [...reached].sort()) console.log(`${`${times}`.padStart(8)} ${what}`);
}
