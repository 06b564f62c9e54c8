import { existsSync, readdirSync, statSync } from "node:fs";
import { dirname, join, posix } from "node:path";
import { expect, test } from "vitest";
import { PICTURES } from "../browser/pictures/pictures.ts";
import { documents, proseOf, REPOSITORY, textOf } from "./markdown.ts";

/** Guarantees that the documents show every picture that is kept and that a command takes, each with words for who cannot see it. */

const FOLDER = "docs/pictures";
const BYTES_MAX = 1024 * 1024;

const shown = documents().flatMap((document) =>
  [...proseOf(textOf(document)).matchAll(/!\[([^\]]*)\]\(([^)\s]+)\)/g)].map(
    ([, words = "", target = ""]) => ({
      words,
      path: posix.join(dirname(document), target),
    }),
  ),
);
const kept = readdirSync(join(REPOSITORY, FOLDER)).map((name) => `${FOLDER}/${name}`);

test("every picture that is shown exists and is said in words", () => {
  expect(shown.length).toBeGreaterThan(0);
  for (const { path, words } of shown) {
    expect(existsSync(join(REPOSITORY, path)), path).toBe(true);
    expect(words.split(" ").length, path).toBeGreaterThan(5);
  }
});

test("every picture that is kept is shown, and is one that `npm run screenshots` takes", () => {
  const paths = shown.map(({ path }) => path).filter((path) => path.startsWith(`${FOLDER}/`));
  expect(paths.toSorted()).toEqual(kept.toSorted());
  expect(PICTURES.map(({ name }) => `${FOLDER}/${name}.webp`).toSorted()).toEqual(kept.toSorted());
});

test("together they are small", () => {
  const bytes = kept.reduce((sum, path) => sum + statSync(join(REPOSITORY, path)).size, 0);
  expect(bytes).toBeLessThan(BYTES_MAX);
});
