import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Measured } from "./measured.ts";

/**
 * What was measured last, so that the page can be held to it without running the product. `npm run costs` measures anew
 * and writes it; test/costs/units.test.ts fails where the product has moved away from it.
 */
const FILE = join(import.meta.dirname, "measured.json");

export const keptFigures = (): Measured => JSON.parse(readFileSync(FILE, "utf8")) as Measured;

const rounded = (_: string, value: unknown): unknown =>
  typeof value === "number" ? Math.round(value * 100) / 100 : value;

export function keepFigures(figures: Measured): void {
  writeFileSync(FILE, `${JSON.stringify(figures, rounded, 2)}\n`);
}
