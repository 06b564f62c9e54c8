import { build } from "../../bin/build.ts";
import { parseOptions } from "./options.ts";
import { progressOf, tableOf } from "./report.ts";
import { type RoundResult, runRound } from "./round.ts";
import { Tally } from "./tally.ts";

/**
 * `npm run faults`: traffic under faults, round by round, until the time is over. Prints how far it is, and at the end what
 * went wrong around the product, and what of it the product got wrong. Ends with 1 where that is anything.
 */

const options = parseOptions(process.argv.slice(2));
const tally = new Tally();
const results: RoundResult[] = [];

await build();
const untilMs = Date.now() + options.minutes * 60_000;
for (let number = 0; Date.now() < untilMs; number++) {
  const act = options.acts[number % options.acts.length] ?? "between";
  const seed = options.seed * 1_000 + number;
  const trafficMs = Math.min(options.roundS * 1_000, Math.max(1_000, untilMs - Date.now()));
  const result = await runRound({ act, seed, trafficMs, tally, judgesHeld: options.judgesHeld });
  results.push(result);
  console.log(progressOf(number, act, seed, result, tally));
  if (result.violations.length > 0) break;
}
console.log(tableOf(options, results, tally));
if (results.some(({ violations }) => violations.length > 0)) process.exitCode = 1;
