import { parseArgs } from "node:util";
import { BROKEN } from "./broken.ts";
import { type Explored, explore, wander } from "./explore.ts";
import { differsFromProduct } from "./product.ts";
import { EVERYTHING, SETTINGS } from "./settings.ts";

/**
 * `npm run model`: prints the shortest trace of each guard that is broken on purpose, then explores the protocol as it is.
 * `-- --minutes 60` gives the exploration an hour, half of it for schedules by chance; `--seed` begins these. `--only
 * "late price"` takes the settings and guards with these words. Ends with 1 at a promise that the protocol breaks.
 */
const { values } = parseArgs({
  options: {
    minutes: { type: "string", default: "5" },
    seed: { type: "string", default: "1" },
    only: { type: "string", default: "" },
  },
});
const msMax = Number(values.minutes) * 60_000;
const isWanted = ({ name }: { readonly name: string }): boolean => name.includes(values.only);

function tell(name: string, { broken, trace, isWhole, states, steps, ends, depth, ms }: Explored): void {
  const figures = [
    ...(states > 0 ? [`${states.toLocaleString("en-US")} states`] : []),
    `${steps.toLocaleString("en-US")} steps`,
    `${ends.toLocaleString("en-US")} ends`,
    `depth ${depth}`,
    `${Math.round(ms / 1000)} s`,
  ];
  const seen = broken ?? (isWhole ? "whole" : states > 0 ? "cut" : "by chance");
  console.log(`${name}: ${seen} (${figures.join(", ")})`);
  trace.forEach((what, index) => {
    console.log(`${`${index + 1}`.padStart(6)}. ${what}`);
  });
}

console.log("== guards broken on purpose");
for (const { name, promise, setting } of BROKEN.filter(isWanted)) {
  const found = explore(setting);
  tell(name, found);
  if (found.broken?.startsWith(`${promise}: `) !== true) process.exitCode = 1;
}

console.log("\n== the protocol as it is");
const settings = SETTINGS.filter(isWanted);
const beganMs = performance.now();
for (const [index, { name, setting }] of settings.entries()) {
  const leftMs = msMax / 2 - (performance.now() - beganMs);
  const found = explore(setting, {
    msMax: Math.max(leftMs / (settings.length - index), 1_000),
    look: (before, what, after) => differsFromProduct(before, what, after, setting),
  });
  tell(name, found);
  if (found.broken !== null) process.exitCode = 1;
}
const all = [EVERYTHING, ...settings];
for (const [index, { name, setting }] of all.entries()) {
  const found = wander(setting, Number(values.seed) + index, { msMax: msMax / 2 / all.length });
  tell(name, found);
  if (found.broken !== null) process.exitCode = 1;
}
