import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { rowAttributes } from "../../lambda/audit-wire.ts";
import { AUDIT_COLUMNS } from "../../lambda/domain/audit-fields.ts";
import { codeBlocks, textOf } from "./markdown.ts";

/** Guarantees that the documents name the columns of the audit log as the table of columns does (audit-fields.ts). */

const API = textOf("docs/api.md");
const DATA = textOf("docs/data.md");
const COLUMNS = AUDIT_COLUMNS.map(([, { name }]) => name);

/** What an item of the Audit table has beside its columns. */
const STORED = readFileSync(join(import.meta.dirname, "../adapters/stored-items.ndjson"), "utf8")
  .trimEnd()
  .split("\n")
  .map((line) => JSON.parse(line) as { readonly kind: string; readonly item?: object })
  .flatMap(({ kind, item = {} }) => (kind === "event" ? Object.keys(item) : []));
const BESIDE = [...new Set(STORED)].filter((name) => !COLUMNS.includes(name));

const ROW_NAMES = Object.keys(
  rowAttributes({
    subject: "call_1",
    attemptId: "att_1",
    state: "settled",
    fields: {
      atMs: 0,
      type: "call",
      keyId: "key_1",
      parentIds: [],
      issuerId: "admin",
      credential: "default",
      label: null,
      labelGroup: null,
      metadata: {},
      vendor: "stripe",
    },
    events: [],
  }),
);

/** The names in backticks of the first cells of a table that follows `heading`. */
function firstCells(text: string, heading: string): readonly string[] {
  const [, after = ""] = text.split(heading);
  const [table = ""] = /(\n\|.*)+/.exec(after) ?? [];
  return table
    .split("\n")
    .flatMap((line) => [...(line.split("|")[1] ?? "").matchAll(/`([a-z_]+)`/g)].map(([, name = ""]) => name));
}

describe("docs/api.md", () => {
  test("shows a row with every column, in its order", () => {
    const block = codeBlocks(API).find(({ code }) => code.includes('"requested_usd"'));
    expect(Object.keys(JSON.parse(block?.code ?? "{}"))).toEqual(ROW_NAMES);
  });

  test("explains columns that there are", () => {
    const [, afterRow = ""] = API.split('"state": "settled"\n}');
    const explained = firstCells(afterRow, "```");
    expect(explained).toContain("cost_usd");
    for (const name of explained) expect(ROW_NAMES).toContain(name);
  });

  test("names the columns that only some rows have", () => {
    for (const [, { name, sparse }] of AUDIT_COLUMNS)
      if (sparse === true) expect(API).toContain(`\`${name}\``);
  });
});

test("docs/data.md names what an event has beside the columns of its row", () => {
  const named = firstCells(DATA, "### Event: ");
  expect([...named].sort()).toEqual(BESIDE.filter((name) => name !== "pk" && name !== "sk").sort());
});

test("docs/audit-queries.md asks for attributes that there are", () => {
  const commands = codeBlocks(textOf("docs/audit-queries.md")).filter(({ code }) => code.startsWith("aws "));
  const asked = commands.flatMap(({ code }) =>
    [...code.matchAll(/\b(?<!")[a-z]+(?:_[a-z]+)+\b(?!["(])/g)].map(([name]) => name),
  );
  const attributes = asked.filter((name) => !name.startsWith("by_"));
  expect(attributes).toContain("cost_usd");
  for (const name of attributes) expect([...COLUMNS, ...BESIDE]).toContain(name);
});
