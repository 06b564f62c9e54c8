import { existsSync, readdirSync, readFileSync } from "node:fs";
import { basename, dirname, join, posix } from "node:path";
import { expect, test } from "vitest";
import { anchorsOf, documents, proseOf, REPOSITORY, textOf } from "./markdown.ts";

/** Guarantees that documents can be read in any editor, and that the files and documents that are named exist. */

const LINE_LENGTH_MAX = 160;

test.each(documents())("no line of %s is longer than a screen is wide, but for code", (document) => {
  const lines = proseOf(textOf(document)).split("\n");

  expect(lines.filter((line) => line.length > LINE_LENGTH_MAX)).toEqual([]);
});

/** Folders with files of ours; what is built or installed is not among them. */
const FOLDERS = ["bin", "cli", "dashboard", "docs", "examples", "lambda", "lib", "local", "test", ".ci"];

const FILES: readonly string[] = [
  ...readdirSync(REPOSITORY, { withFileTypes: true }).flatMap((entry) =>
    entry.isFile() ? [entry.name] : [],
  ),
  ...FOLDERS.flatMap((folder) =>
    readdirSync(join(REPOSITORY, folder), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name).slice(REPOSITORY.length + 1))
      .map((file) => file.replaceAll("\\", "/")),
  ),
];
const NAMES = new Set(FILES.map((file) => basename(file)));

/** Files that the reader writes, or that belong to others. A test makes those of the invented vendor. */
const NOT_OURS = new Set([
  "keybrake.config.ts",
  "client/client.go",
  "adopt.json",
  "Messages.json",
  "Calls.json",
]);

const isThere = (path: string) =>
  path.includes("/")
    ? [path, `lambda/${path}`].some((candidate) => existsSync(join(REPOSITORY, candidate)))
    : NAMES.has(path);

/** The changelog names files as they were called then. */
test.each(documents().filter((document) => document !== "CHANGELOG.md"))(
  "every file that %s names exists",
  (document) => {
    const named = [...proseOf(textOf(document)).matchAll(/`([\w./-]+\.(?:ts|js|json|py|go|md|txt))`/g)]
      .map(([, path = ""]) => path)
      .filter((path) => !NOT_OURS.has(path) && !path.startsWith("lambda/vendors/paperwing/"));

    expect(named.filter((path) => !isThere(path))).toEqual([]);
  },
);

test("every document that a source names exists", () => {
  const sources = FILES.filter((file) => /\.(ts|js|py|go|css|html)$/.test(file));
  const broken = sources.flatMap((source) =>
    [...readFileSync(join(REPOSITORY, source), "utf8").matchAll(/(?<![\w./])docs\/[\w/-]+\.md/g)]
      .map(([path]) => path)
      .filter((path) => !existsSync(join(REPOSITORY, path)))
      .map((path) => `${source}: ${path}`),
  );

  expect(sources.length).toBeGreaterThan(200);
  expect(broken).toEqual([]);
});

const linksIn = (document: string) =>
  new Set(
    [...proseOf(textOf(document)).matchAll(/\]\(([^)#\s]+)[^)\s]*\)/g)].map(([, target = ""]) =>
      posix.join(dirname(document), target),
    ),
  );

const IS_DECISION = /^docs\/decisions\/\d{4}-/;

test("the list of decisions has every decision, and the list of pages every page", () => {
  const [decisions, pages] = [linksIn("docs/decisions/README.md"), linksIn("docs/README.md")];

  for (const document of documents()) {
    if (IS_DECISION.test(document)) expect(decisions).toContain(document);
    else if (document !== "docs/README.md") expect(pages).toContain(document);
  }
});

test("a decision says what was decided, why, and what else was considered", () => {
  for (const document of documents().filter((document) => IS_DECISION.test(document))) {
    const text = textOf(document);
    const number = Number(basename(document).slice(0, 4));

    expect(text, document).toMatch(new RegExp(`^# ${number}\\. \\S`));
    for (const part of ["**What.**", "**Why", "**What else was considered.**"])
      expect(text, document).toContain(part);
  }
});

/** House patterns that make a newcomer stop, and what to write instead. */
const PATTERNS: readonly (readonly [RegExp, instead: string])[] = [
  [/\banew\b/, "again"],
  [/\b(is|are) none\b/, "is not a …"],
  [/\bis said\b/, "says"],
  [/\bstands? (at|in|under)\b/, "is in, is below"],
  [/\bwhose\b|\bof which\b/, "a sentence of its own"],
  [/\bgoes without\b/, "has no"],
  [/\bbut for\b/, "except"],
  [/\bride?s? on\b/, "uses"],
  [/\bunder way\b/, "running"],
];

test.each(documents())("%s is written in the usual words", (document) => {
  const prose = proseOf(textOf(document)).replace(/`[^`]*`/g, "");
  const found = PATTERNS.flatMap(([pattern, instead]) => {
    const [match] = pattern.exec(prose) ?? [];
    return match === undefined ? [] : [`"${match}": write ${instead}`];
  });

  expect(found).toEqual([]);
});

test("a heading is named once, so that a link leads to it", () => {
  for (const document of documents()) {
    const headings = [...proseOf(textOf(document)).matchAll(/^#+ (.*)$/gm)];
    if (document !== "CHANGELOG.md") expect(anchorsOf(textOf(document)).size, document).toBe(headings.length);
  }
});

test.each(documents())("every table of %s is in one piece, and no line is empty twice", (document) => {
  const prose = proseOf(textOf(document));

  expect(prose).not.toMatch(/\n\|.*\n\n\|.*\n(?!\|[ |-]+\|\n)/);
  expect(textOf(document).replace(/^```[\s\S]*?^```$/gm, "```")).not.toMatch(/\n\n\n/);
});
