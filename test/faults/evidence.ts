import { type AttributeValue, type DynamoDBClient, paginateScan } from "@aws-sdk/client-dynamodb";
import type { VendorManifest } from "../../lambda/domain/vendor-manifest.ts";
import { TABLES } from "../../local/aws/tables.ts";
import { Client } from "../bench/client.ts";
import { at, listAt, numberAt, textAt } from "../support/json.ts";
import type { AuditRow, Charge, StoredBalance } from "./facts.ts";

/** Gathers what each side knows: the vendor, the table, the audit log. None of it is asked by the code that is tested but the log. */

const PAGE_MAX = 100;
const HOUR_MS = 3_600_000;
/** What the table has for a cap that is not set (docs/protocol.md). */
const NO_CAP = 10n ** 24n;

/** What the vendor's account has, each with the call that its metadata names; throws where its sum is not that of the books. */
export async function chargesAt(
  origin: string,
  { local: { placeholder } }: Pick<VendorManifest, "local">,
): Promise<readonly Charge[]> {
  const client = new Client(origin);
  try {
    const charges: Charge[] = [];
    for (const path of ["/v1/payment_intents", "/v1/refunds"]) {
      for (let after: string | null = ""; after !== null; ) {
        const headers = { Authorization: `Bearer ${placeholder}` };
        const cursor = after === "" ? "" : `&starting_after=${after}`;
        const { text } = await client.send({
          method: "GET",
          path: `${path}?limit=${PAGE_MAX}${cursor}`,
          headers,
        });
        const page: unknown = JSON.parse(text);
        const objects = listAt(page, "data");
        charges.push(...objects.map(chargeOf));
        after = at(page, "has_more") === true ? textAt(objects.at(-1), "id") : null;
      }
    }
    const books: unknown = JSON.parse((await client.send({ method: "GET", path: "/books" })).text);
    const cents = charges.reduce((sum, charge) => sum + charge.cents, 0);
    if (cents !== numberAt(books, "spent_cents"))
      throw new Error(`the vendor's objects are ${cents} cents, its books ${numberAt(books, "spent_cents")}`);
    return charges;
  } finally {
    client.close();
  }
}

const chargeOf = (object: unknown): Charge => ({
  objectId: textAt(object, "id"),
  call: textAt(object, "metadata", "call"),
  cents: numberAt(object, "amount"),
});

/** Every balance of vault keys and API keys, as its item has it. */
export async function storedBalances(client: DynamoDBClient): Promise<readonly StoredBalance[]> {
  const balances: StoredBalance[] = [];
  const pages = paginateScan(
    { client },
    {
      TableName: TABLES[0].name,
      ConsistentRead: true,
      FilterExpression: "sk = :balance",
      ExpressionAttributeValues: { ":balance": { S: "BALANCE" } },
    },
  );
  for await (const { Items = [] } of pages) balances.push(...Items.map(balanceOf));
  return balances;
}

function balanceOf(item: Record<string, AttributeValue>): StoredBalance {
  const number = (name: string) => BigInt(item[name]?.N ?? "0");
  const cap = (name: string) => (number(name) >= NO_CAP ? null : number(name));
  const days = Object.keys(item).filter((name) => /^d\d+$/.test(name));
  return {
    keyId: (item["pk"]?.S ?? "").replace(/^KEY#/, ""),
    dailyCap: cap("daily_cap"),
    totalCap: cap("total_cap"),
    leftOfDays: days.map(number),
    leftOfTotal: number("t"),
  };
}

/** What the audit log tells, over HTTP. */
export interface LogReader {
  rows(label: string): Promise<readonly AuditRow[]>;
  /** Key -> what it spent, the keys below it included. */
  sums(label: string): Promise<ReadonlyMap<string, bigint>>;
}

export function logReader(client: Client, apiKey: string): LogReader {
  async function* pages(path: string, query: Readonly<Record<string, string>>): AsyncGenerator<unknown> {
    for (let cursor: unknown = ""; cursor !== null; ) {
      const parameters = new URLSearchParams({ ...query, ...(cursor !== "" && { cursor: `${cursor}` }) });
      const headers = { Authorization: `Bearer ${apiKey}` };
      const { status, text } = await client.send({ method: "GET", path: `${path}?${parameters}`, headers });
      if (status !== 200) throw new Error(`${path} answered ${status}: ${text}`);
      const json: unknown = JSON.parse(text);
      yield* listAt(json, "data");
      cursor = at(json, "next_cursor") ?? null;
    }
  }
  return {
    async rows(label) {
      const rows: AuditRow[] = [];
      // A function whose clock is ahead makes rows of the next minute.
      const to = new Date(Date.now() + HOUR_MS).toISOString();
      const query = { agent_run_label: label, limit: `${PAGE_MAX}`, to };
      for await (const row of pages("/vault/audit", query)) rows.push(rowOf(row));
      return rows;
    },
    async sums(label) {
      const sums = new Map<string, bigint>();
      const query = { group_by: "key_id", agent_run_label: label, limit: `${PAGE_MAX}` };
      for await (const sum of pages("/vault/spend", query))
        sums.set(textAt(sum, "group"), micros(at(sum, "spent_usd")));
      return sums;
    },
  };
}

const rowOf = (row: unknown): AuditRow => ({
  id: textAt(row, "id"),
  type: textAt(row, "type"),
  keyId: textAt(row, "key_id"),
  callId: textOrNull(row, "call_id"),
  label: textOrNull(row, "call_label"),
  state: textOrNull(row, "state"),
  cost: micros(at(row, "cost_usd")),
  reserved: micros(at(row, "reserved_usd")),
  objectId: textOrNull(row, "vendor_object_id"),
});

function textOrNull(row: unknown, name: string): string | null {
  const value = at(row, name);
  return typeof value === "string" ? value : null;
}

/** Dollars have six places at most, which a double has without loss up to some billions. */
const micros = (usd: unknown): bigint => (typeof usd === "number" ? BigInt(Math.round(usd * 1e6)) : 0n);
