import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { DynamoAuditLog } from "../../lambda/adapters/dynamo-audit-log.ts";
import { DynamoAuditReader } from "../../lambda/adapters/dynamo-audit-reader.ts";
import { callItem, readCallItem } from "../../lambda/adapters/vault-items/call-item.ts";
import type { Item } from "../../lambda/adapters/vault-items/codec.ts";
import { policyItem, readPolicyItem } from "../../lambda/adapters/vault-items/policy-item.ts";
import { auditAnswer } from "../../lambda/http/audit-answer.ts";
import { auditTable } from "../support/audit-table.ts";
import { CALLS, EVENTS, POLICIES } from "./stored-values.ts";

/**
 * Guarantees that stored items stay readable: `stored-items.ndjson` has items as version 0.2.0 wrote them, with each field
 * of each kind somewhere, and is never written again. What is written today is the same, to the name and the type.
 */

interface Stored {
  readonly kind: "policy" | "call" | "event" | "row" | "csv";
  readonly name?: string;
  readonly item?: Item;
  readonly row?: unknown;
  readonly line?: string;
}

const STORED = readFileSync(join(import.meta.dirname, "stored-items.ndjson"), "utf8")
  .trimEnd()
  .split("\n")
  .map((line) => JSON.parse(line) as Stored);
/** Columns that came later: rows of older events have nothing in them. */
const NEW_COLUMNS = ["would_deny"];
/** A table has the columns that no row has, too. */
const NEW_IN_CSV = [...NEW_COLUMNS, "total_usd_cap"];
const withoutNewFields = (json: string): string => {
  const row: Record<string, unknown> = JSON.parse(json);
  for (const name of NEW_COLUMNS) {
    expect(row[name]).toBeNull();
    delete row[name];
  }
  return JSON.stringify(row);
};
const withoutNewColumns = (lines: readonly string[]): readonly string[] => {
  const cells = lines.map((line) => line.split(/,(?=(?:[^"]*"[^"]*")*[^"]*$)/));
  const added = NEW_IN_CSV.map((name) => cells[0]?.indexOf(name) ?? -1);
  return cells.map((row) => row.filter((_, index) => !added.includes(index)).join(","));
};
const TTL_S = 1_797_000_000;
const RETENTION_DAYS = 400;

function itemsOf(kind: Stored["kind"]): readonly { readonly name: string; readonly item: Item }[] {
  const stored = STORED.filter((each) => each.kind === kind);
  return stored.map(({ name = "", item = {} }) => ({ name, item }));
}

describe("the Vault table", () => {
  test.each(itemsOf("policy"))("the policy $name", ({ name, item }) => {
    const policy = POLICIES[name];
    expect(readPolicyItem(item)).toEqual(policy);
    expect(policy && policyItem(policy, TTL_S)).toEqual(item);
  });

  test("a record whose late price was found without a shard", () => {
    const [full] = itemsOf("call").filter(({ name }) => name === "fullCall");
    const older = { ...full?.item, late_vendor: { S: "twilio" } };
    expect(readCallItem(older)).toEqual(CALLS["fullCall"]);
  });

  test.each(itemsOf("call"))("the record $name", ({ name, item }) => {
    const record = CALLS[name];
    expect(readCallItem(item)).toEqual(record);
    expect(record && callItem(record)).toEqual(item);
  });
});

describe("the Audit table", () => {
  const items = itemsOf("event").map(({ item }) => item);

  test("events are written as they were", async () => {
    const { client, events } = auditTable();

    await new DynamoAuditLog(client, "audit", RETENTION_DAYS, { now: () => 0 }).append(EVENTS);

    expect(events).toEqual(items);
  });

  test("stored events make the rows that they made, in JSON and in CSV, in the same order of columns", async () => {
    const { rows } = await new DynamoAuditReader(auditTable(items).client, "audit").page({
      part: { kind: "key", keyId: "key_leaf", shard: 0 },
      fromMs: 0,
      toMs: Date.parse("2027-01-01"),
      before: null,
      limit: 100,
    });
    const answer = { rows: rows.map(({ row }) => row), next: null };

    const last = { nextCursor: null, requestId: "req" };
    const json = auditAnswer(answer, { ...last, format: "ndjson", withEvents: true }).body;
    const csv = auditAnswer(answer, { ...last, format: "csv", withEvents: false }).body;

    expect(json.trimEnd().split("\n").map(withoutNewFields)).toEqual(
      STORED.flatMap(({ kind, row }) => (kind === "row" ? [JSON.stringify(row)] : [])),
    );
    expect(withoutNewColumns(csv.trimEnd().split("\r\n"))).toEqual(
      STORED.flatMap(({ kind, line }) => (kind === "csv" ? [line] : [])),
    );
  });
});
