import { readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";

export const REPOSITORY = join(import.meta.dirname, "..", "..");

/** Every document of the repository, as a path from its root. */
export const documents = (): readonly string[] => [
  ...["README.md", "CHANGELOG.md", "examples/README.md"],
  ...readdirSync(join(REPOSITORY, "docs"), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(".md"))
    .map((entry) => relative(REPOSITORY, join(entry.parentPath, entry.name)).replaceAll("\\", "/")),
];

export const textOf = (document: string): string => readFileSync(join(REPOSITORY, document), "utf8");

export interface CodeBlock {
  /** The last heading above it, without its marks. */
  readonly heading: string;
  readonly language: string;
  readonly code: string;
}

export function codeBlocks(text: string): readonly CodeBlock[] {
  const blocks: CodeBlock[] = [];
  let heading = "";
  let open: { language: string; lines: string[] } | null = null;
  for (const line of text.split("\n")) {
    if (open !== null) {
      if (line === "```") {
        blocks.push({ heading, language: open.language, code: open.lines.join("\n") });
        open = null;
      } else open.lines.push(line);
    } else if (line.startsWith("```")) open = { language: line.slice(3), lines: [] };
    else heading = /^#+ (.*)$/.exec(line)?.[1] ?? heading;
  }
  if (open !== null) throw new Error(`a code block under "${heading}" has no end`);
  return blocks;
}

/** The text with its code blocks taken out. */
export const proseOf = (text: string): string => text.replace(/^```[\s\S]*?^```$/gm, "");

/** The names under which a document's headings can be linked to, as GitHub makes them. */
export const anchorsOf = (text: string): ReadonlySet<string> =>
  new Set(
    [...proseOf(text).matchAll(/^#+ (.*)$/gm)].map(([, heading = ""]) =>
      heading
        .toLowerCase()
        .replace(/[^\p{L}\p{N}\s_-]/gu, "")
        .replaceAll(" ", "-"),
    ),
  );

/** The cells of every row of the tables under a heading, without the row of names. */
export function tableUnder(text: string, heading: string): readonly (readonly string[])[] {
  const [, section = ""] = text.split(`\n${heading}\n`);
  const [, ...rows] = (section.split(/\n#+ /)[0] ?? "")
    .split("\n")
    .filter((line) => line.startsWith("|") && !/^\|[ |-]+\|$/.test(line));
  return rows.map((row) =>
    row
      .slice(1, -1)
      .split("|")
      .map((cell) => cell.trim()),
  );
}
