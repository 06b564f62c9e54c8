import { describe, expect, test } from "vitest";
import { pageFiles } from "../../bin/page.ts";

/** Guarantees that the page is small: a phone on a bad line sees what burns at once. */

const KB = 1024;
/** Compressed by gzip, which every browser and proxy takes; by brotli it is a tenth less. */
const FIRST_MAX = 20 * KB;
const ALL_MAX = 60 * KB;

const files = await pageFiles();
const documentText = Buffer.from(files.find(({ name }) => name === "index.html")?.contents ?? []).toString();

/** What goes over the line for a file: as gzip where that is shorter. */
const sizeOf = (name: string): number =>
  (files.find((file) => file.name === `${name}.gz`) ?? files.find((file) => file.name === name))?.contents
    .length ?? 0;

const served = files.map(({ name }) => name).filter((name) => !/\.(gz|br)$/.test(name));
const sum = (names: readonly string[]): number => names.reduce((all, name) => all + sizeOf(name), 0);

const textOf = (name: string) =>
  Buffer.from(files.find((file) => file.name === name)?.contents ?? []).toString();

/** The scripts that a script cannot run without, itself among them. */
function withImports(name: string, seen: Set<string> = new Set()): Set<string> {
  if (seen.has(name)) return seen;
  seen.add(name);
  for (const [, imported = ""] of textOf(name).matchAll(/(?:from|import)\s*"\.\/([\w-]+\.js)"/g))
    withImports(imported, seen);
  return seen;
}

describe("the page", () => {
  const named = [...documentText.matchAll(/(?:src|href)="dashboard\/([^"]+)"/g)].map(([, name = ""]) => name);
  const script = named.find((name) => name.endsWith(".js")) ?? "";
  const first = [...new Set(["index.html", ...named, ...withImports(script)])];

  test("has a document, a style and scripts, and parts that are loaded when they are looked at", () => {
    expect(first.length).toBeGreaterThanOrEqual(4);
    expect(served.length).toBeGreaterThan(first.length);
    for (const name of first) expect(sizeOf(name), name).toBeGreaterThan(0);
  });

  test("shows its first picture after at most 20 KB", () => {
    expect(sum(first)).toBeLessThanOrEqual(FIRST_MAX);
  });

  test("names every part that its script begins with, so that they are loaded beside it", () => {
    for (const name of withImports(script)) expect(named).toContain(name);
  });

  test("has at most 60 KB in all", () => {
    expect(sum(served)).toBeLessThanOrEqual(ALL_MAX);
  });
});
