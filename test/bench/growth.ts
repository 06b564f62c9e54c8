import { setTimeout as delay } from "node:timers/promises";
import { BatchWriteItemCommand, DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { eventItem } from "../../lambda/adapters/audit-items/event-item.ts";
import { balanceItem } from "../../lambda/adapters/vault-items/balance-item.ts";
import type { Item } from "../../lambda/adapters/vault-items/codec.ts";
import { policyItem } from "../../lambda/adapters/vault-items/policy-item.ts";
import { standIn } from "../../local/aws/stand-in.ts";
import { TABLES } from "../../local/aws/tables.ts";
import { policyNamed, toldCall } from "../support/audit-events.ts";
import { balanceOf } from "../support/vault-facts.ts";
import { timed } from "./client.ts";
import { type Product, payment, startProduct, succeed } from "./product.ts";
import { atMost, type Bench, count, median, ms, ratio, type Section, told } from "./section.ts";

const CALLS = 200;
const GOAL = 1.1;
const TTL_S = 4_000_000_000;

/** That neither keys nor rows make a call or a page slower. */
export const growth: Section = {
  name: "growth",
  title: "Many keys, many rows",
  how: `Payments one after another, and first pages of \`GET /vault/audit\` of one key, before and after many more keys, and as many rows of them, are in the tables of the local engine and the audit log has caught up. \`--grown\` sets how many.`,
  async run(bench) {
    const product = await startProduct();
    const client = new DynamoDBClient(standIn(product.run.dynamodbEndpoint));
    try {
      const before = await measure(product);
      const keys = bench.options.smoke ? 500 : bench.number("grown");
      bench.say(`putting ${count(keys)} keys and as many rows into the tables`);
      await fill(client, keys, bench);
      await caughtUp(product, bench);
      const after = await measure(product);
      return {
        figures: [
          atMost("a payment, after over before", after.paymentMs / before.paymentMs, GOAL, ratio),
          told("  before, after", `${ms(before.paymentMs)}, ${ms(after.paymentMs)}`),
          told("keys and rows that were put", count(keys)),
          atMost("first page of a key's rows, after over before", after.pageMs / before.pageMs, GOAL, ratio),
          told("  before, after", `${ms(before.pageMs)}, ${ms(after.pageMs)}`),
        ],
        wrong: [],
      };
    } finally {
      client.destroy();
      await product.close();
    }
  },
};

async function measure({ client, key, run }: Product) {
  await timed(CALLS, 1, () => succeed(client, payment(key.token)));
  const payments = await timed(CALLS, 1, () => succeed(client, payment(key.token)));
  const page = {
    method: "GET",
    path: `/vault/audit?key_id=${key.id}`,
    headers: { Authorization: `Bearer ${run.apiKey}` },
  };
  const pages = await timed(CALLS / 2, 1, () => succeed(client, page));
  return { paymentMs: median(payments.each), pageMs: median(pages.each) };
}

/** The new keys are changes of the Vault table too: a row of a payment that comes after them tells that all are read. */
async function caughtUp({ client, key, run }: Product, bench: Bench): Promise<void> {
  bench.say("waiting until the audit log has caught up");
  const { headers } = await client.send(payment(key.token));
  const row = {
    method: "GET",
    path: `/vault/audit?call_id=${headers["keybrake-call-id"]}`,
    headers: { Authorization: `Bearer ${run.apiKey}` },
  };
  for (;;) {
    const { text } = await client.send(row);
    if (text.includes('"settled"')) return;
    await delay(500);
  }
}

const START_MS = Date.parse("2026-11-22T05:00:00Z");
const AT_ONCE = 8;
const A_BATCH = 25;

async function fill(client: DynamoDBClient, keys: number, bench: Bench): Promise<void> {
  const [vault, audit] = TABLES;
  let done = 0;
  await timed(Math.ceil(keys / A_BATCH), AT_ONCE, async (n) => {
    const policies = Array.from({ length: A_BATCH }, (_, index) =>
      policyNamed(`key_grown${`${n * A_BATCH + index}`.padStart(8, "0")}`, `grown-${n % 50}/${index}`),
    );
    const last = { op: "issue" as const, id: "grown", atMs: START_MS };
    await put(
      client,
      vault.name,
      policies.map((policy) => policyItem(policy, TTL_S)),
    );
    await put(
      client,
      vault.name,
      policies.map(({ keyId }) => balanceItem(balanceOf(keyId), last, TTL_S)),
    );
    const rows = policies.map((policy, index) => {
      const place = n * A_BATCH + index;
      return eventItem(toldCall(policy, 1_000_000 + place, 10_000n, START_MS + place).settled, 4_000);
    });
    await put(client, audit.name, rows);
    done += A_BATCH;
    if (done % 25_000 === 0) bench.say(`${count(done)} of each`);
  });
}

async function put(client: DynamoDBClient, table: string, items: readonly Item[]): Promise<void> {
  const requests = items.map((item) => ({ PutRequest: { Item: item } }));
  const { UnprocessedItems } = await client.send(
    new BatchWriteItemCommand({ RequestItems: { [table]: requests } }),
  );
  if (Object.keys(UnprocessedItems ?? {}).length > 0) throw new Error("the engine left items unwritten");
}
