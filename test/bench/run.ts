import { type BenchOptions, parseOptions } from "./options.ts";
import { writePage } from "./page.ts";
import type { Bench, Figure, Section, SectionResult } from "./section.ts";
import { SECTIONS } from "./sections.ts";

/**
 * `npm run bench`: the figures of docs/performance.md. Exits with 1 where something is wrong that has to be right on every
 * machine; a goal that this machine misses is shown and fails nothing.
 */
const options = parsed();
const isAsked = ({ name }: Section) =>
  options.only.length > 0 ? options.only.includes(name) : options.peers || name !== "peers";
const chosen = SECTIONS.filter(isAsked);
let isWrong = false;
const results: { readonly section: Section; readonly result: SectionResult }[] = [];
for (const [index, section] of chosen.entries()) {
  console.log(`\n[${index + 1}/${chosen.length}] ${section.title}`);
  const startedMs = performance.now();
  const bench: Bench = {
    options,
    number: (name) => options.numbers[name] ?? 0,
    say: (line) => console.log(`  … ${line}`),
  };
  const result = await section.run(bench);
  show(result);
  results.push({ section, result });
  if (result.wrong.length > 0) isWrong = true;
  console.log(`  ${((performance.now() - startedMs) / 1000).toFixed(1)} s`);
}
if (options.write) await writePage(results);
process.exitCode = isWrong ? 1 : 0;

function parsed(): BenchOptions {
  try {
    return parseOptions(
      process.argv.slice(2),
      SECTIONS.map(({ name }) => name),
    );
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    process.exit(2);
  }
}

function show({ figures, wrong }: SectionResult): void {
  const width = Math.max(...figures.map(({ name }) => name.length));
  const values = Math.max(...figures.map(({ value }) => value.length));
  for (const figure of figures)
    console.log(
      `  ${figure.name.padEnd(width)}  ${figure.value.padStart(values)}  ${verdict(figure)}`.trimEnd(),
    );
  for (const line of wrong) console.log(`  WRONG: ${line}`);
}

function verdict({ goal, reached }: Figure): string {
  if (goal === null) return "";
  return `${reached === true ? "reached" : "MISSED"}: ${goal}`;
}
