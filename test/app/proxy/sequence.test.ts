import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";

const FOLDER = join(import.meta.dirname, "..", "..", "..", "lambda", "app", "proxy");

/** In the order of docs/architecture.md, "One call, end to end". */
const STEPS = [
  "identify",
  "admit",
  "quote",
  "record-free-call",
  "claim",
  "reserve",
  "send",
  "settle",
  "proxy-call",
];

const importsOf = (file: string): string[] =>
  [...readFileSync(join(FOLDER, `${file}.ts`), "utf8").matchAll(/from "\.\/([^"]+)\.ts"/g)].map(
    ([, name = ""]) => name,
  );

/** All files of the folder that a file leads to. */
function behind(file: string, seen = new Set<string>()): ReadonlySet<string> {
  for (const imported of importsOf(file)) {
    if (seen.has(imported)) continue;
    seen.add(imported);
    behind(imported, seen);
  }
  return seen;
}

/** Guarantees that a call is read from top to bottom: a step knows those before it, and no helper knows a step after. */
test.each(STEPS.map((step, index) => [step, STEPS.slice(index + 1)] as const))(
  "%s leads to no later step",
  (step, later) => {
    expect([...behind(step)].filter((name) => later.includes(name))).toEqual([]);
  },
);

/** Guarantees that what a step returns says all: nothing but values goes from one to the next. */
test("no file of the path keeps an object that steps change", () => {
  for (const step of STEPS)
    expect(readFileSync(join(FOLDER, `${step}.ts`), "utf8"), step).not.toMatch(/\bclass\b|\bthis\./);
});
