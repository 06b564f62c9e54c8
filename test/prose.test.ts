import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";

/** Guarantees that messages are in plain English: phrases that readers stumbled over do not come back. */

const ROOT = join(import.meta.dirname, "..");

const FOLDERS = ["lambda", "lib", "local", "cli", "bin"];

const COMMENT = /^\s*(\/\*|\*|\/\/)/;

interface Line {
  readonly place: string;
  readonly text: string;
}

/** Every line of code, without those of comments. A phrase of several words on it stands in a text. */
const LINES: readonly Line[] = FOLDERS.flatMap((folder) =>
  readdirSync(join(ROOT, folder), { recursive: true, encoding: "utf8" })
    .filter((name) => /\.[jt]s$/.test(name))
    .flatMap((name) =>
      readFileSync(join(ROOT, folder, name), "utf8")
        .split("\n")
        .map((text, at) => ({ place: `${folder}/${name}:${at + 1}`, text })),
    ),
).filter(({ text }) => !COMMENT.test(text));

/** What readers stumbled over, an example of it, and the plain wording. */
const PHRASES: readonly (readonly [phrase: RegExp, example: string, plain: string])[] = [
  [/(?<!\bthere )\b(?:is|are) no (?!longer\b)[a-z]/, "is no parameter", "unknown parameter; is not a number"],
  [/\b(?:is|are) none\b/, "<Dial> is none of Say", "is not one of; is missing"],
  [/\baccepted (?:is|are)\b/, "accepted is a number", "expected a number"],
  [/\bit takes [a-z]/, "PORT is x; it takes a number", "expected a number"],
  [
    /\btells? (?:which|who)\b|\b(?:did not|never) tell\b|\btells\b[.;"`]/,
    "which did not tell",
    "shows which; gave no answer",
  ],
  [/\bstands at\b/, "what it would cost stands at stripe", "could not price this call: GET … at Stripe …"],
  [/\banew\b/, "read anew", "again"],
  [/\bwhatever\b/i, "whatever else is changed here", "other changes; any; everything that"],
  [/\bwhat it is about\b|\bwhom it (?:is about|reaches)\b/, "whom it is about", "its amount; its recipient"],
  [/\bknown here\b/, "is not known here", "unknown"],
  [/\bthere twice\b/, "stands there twice", "repeated"],
  [/\bmay cost\b(?!,)/, "a value that may cost", "could incur charges"],
  [
    /; nothing was charged/,
    "leave it out; nothing was charged",
    "nothing: lambda/http/proxy-answer.ts adds it",
  ],
];

test.each(PHRASES)("no message says %s", (phrase, example, plain) => {
  const found = LINES.filter(({ text }) => phrase.test(text)).map(
    ({ place, text }) => `${place}: ${text.trim()}`,
  );

  expect(example).toMatch(phrase);
  expect(found, `write instead: ${plain}`).toEqual([]);
});
