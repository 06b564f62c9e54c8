import { setTimeout as delay } from "node:timers/promises";
import { DynamoDBClient, ScanCommand, UpdateItemCommand } from "@aws-sdk/client-dynamodb";
import { unmarshall } from "@aws-sdk/util-dynamodb";
import Stripe from "stripe";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { DIST } from "../../bin/build.ts";
import { standIn } from "../../local/aws/stand-in.ts";
import { type LocalRun, startLocal } from "../../local/run.ts";
import { type AwsCommand, awsCommand } from "./aws-command.ts";
import { codeBlocks, textOf } from "./markdown.ts";

/**
 * What each query of docs/audit-queries.md finds after the calls below, newest first: label, event and dollars; or spent,
 * allowed and denied of a total.
 */
const ONLY_CUS_A = ["modal-billing/cus_A denied 0", "modal-billing/cus_A settled 29.99"];
const KEY_A = [...ONLY_CUS_A, "modal-billing/cus_A key.issued"];
const KEY_B = ["modal-billing/cus_B settled 5", "modal-billing/cus_B key.issued"];
const LATER_A = ["modal-billing/cus_A free 0"];
/** Has the prefix that is asked for, but not at its beginning. */
const OTHER_LABEL = "modal-billing:all modal-billing/cus_";
const OTHER_OF_GROUP = [`${OTHER_LABEL} key.issued`];
const METAFLOW = ["metaflow/1795 settled 1", "metaflow/1795 key.issued"];

const FOUND: Readonly<Record<string, readonly string[]>> = {
  "By call": ["modal-billing/cus_A settled 29.99"],
  "By key": [...LATER_A, ...KEY_A],
  "Outcomes of a key": [
    "modal-billing/cus_A free 0",
    "modal-billing/cus_A denied 0",
    "modal-billing/cus_A settled 29.99",
  ],
  "By vendor and day": [...LATER_A, ...METAFLOW, ...OTHER_OF_GROUP, ...KEY_B, ...KEY_A],
  "Overruns of a vendor by day": ["modal-billing/cus_B settled 5"],
  "By label": [...LATER_A, ...KEY_A],
  "By label group": [...LATER_A, ...OTHER_OF_GROUP, ...KEY_B, ...KEY_A],
  "By the beginning of a label": [...LATER_A, ...KEY_B, ...KEY_A],
  "By time": ONLY_CUS_A,
  "Totals of a vendor by day": ["35.99 4 1"],
  "Totals of a label group by day": ["34.99 3 1"],
  "Totals of a label by day": ["29.99 2 1"],
  "Totals of a key": ["29.99 2 1"],
};
const SHARDS = ["0", "1", "2", "3", "4", "5", "6", "7"];

const DOCUMENT = textOf("docs/audit-queries.md");
const COMMANDS = codeBlocks(DOCUMENT).filter(({ code }) => code.startsWith("aws "));

let run: LocalRun;
let client: DynamoDBClient;
let variables: Record<string, string> = {};

beforeAll(async () => {
  // All calls have to be of one UTC day.
  const toMidnightMs = 86_400_000 - (Date.now() % 86_400_000);
  if (toMidnightMs < 10_000) await delay(toMidnightMs);
  run = await startLocal({ functionsDirectory: DIST });
  client = new DynamoDBClient(standIn(run.dynamodbEndpoint));

  const billing = await issue("modal-billing/cus_A");
  await delay(5);
  const from = new Date();
  const charge = await billing.stripe.paymentIntents.create({ amount: 2999, currency: "usd" });
  await delay(5);
  const denied = billing.stripe.paymentIntents.create({ amount: 2999, currency: "usd" });
  await expect(denied).rejects.toMatchObject({ statusCode: 429, code: "spend_cap_exceeded" });
  await delay(5);
  const to = new Date();
  const second = await issue("modal-billing/cus_B");
  await second.stripe.paymentIntents.create({ amount: 500, currency: "usd" });
  await delay(5);
  await issue(OTHER_LABEL);
  await delay(5);
  const flow = await issue("metaflow/1795");
  await flow.stripe.paymentIntents.create({ amount: 100, currency: "usd" });
  await delay(5);
  await billing.stripe.customers.list();
  await run.drain();
  await markOverrun("modal-billing/cus_B");

  variables = {
    DYNAMODB: run.dynamodbEndpoint,
    CALL_ID: charge.lastResponse.headers["keybrake-call-id"] ?? "",
    KEY_ID: billing.id,
    LABEL: "modal-billing/cus_A",
    LABEL_GROUP: "modal-billing",
    LABEL_PREFIX: "modal-billing/cus_",
    DAY: from.toISOString().slice(0, 10),
    FROM: from.toISOString().slice(0, -1),
    TO: to.toISOString().slice(0, -1),
  };
});

afterAll(async () => {
  client?.destroy();
  await run?.close();
});

async function issue(label: string): Promise<{ readonly id: string; readonly stripe: Stripe }> {
  const answer = await fetch(`${run.baseUrl}/vault/keys`, {
    method: "POST",
    headers: { authorization: `Bearer ${run.apiKey}`, "content-type": "application/json" },
    body: JSON.stringify({ vendor: "stripe", daily_usd_cap: 50, agent_run_label: label }),
  });
  expect(answer.status).toBe(201);
  const { id, vault_key } = (await answer.json()) as { id: string; vault_key: string };
  const { hostname, port } = new URL(run.baseUrl);
  return { id, stripe: new Stripe(vault_key, { host: hostname, port, protocol: "http", telemetry: false }) };
}

/** Makes the settled call of a label one that cost more than was reserved: no simulator charges more than it says. */
async function markOverrun(label: string): Promise<void> {
  const { Items = [] } = await client.send(
    new ScanCommand({
      TableName: "keybrake-audit",
      FilterExpression: "agent_run_label = :label AND #event = :settled",
      ExpressionAttributeNames: { "#event": "event" },
      ExpressionAttributeValues: { ":label": { S: label }, ":settled": { S: "settled" } },
    }),
  );
  expect(Items).toHaveLength(1);
  const [{ pk, sk } = {}] = Items;
  await client.send(
    new UpdateItemCommand({
      TableName: "keybrake-audit",
      Key: { pk: pk ?? { S: "" }, sk: sk ?? { S: "" } },
      UpdateExpression: "SET overrun = :true",
      ExpressionAttributeValues: { ":true": { BOOL: true } },
    }),
  );
}

type Found = Readonly<Record<string, unknown>>;

async function found({ kind, endpoint, command }: AwsCommand): Promise<readonly Found[]> {
  expect(endpoint).toBe(run.dynamodbEndpoint);
  if (kind === "update" || kind === "scan") throw new Error(`no command of this document: ${kind}`);
  const { Items = [] } = kind === "query" ? await client.send(command) : await client.send(command);
  return Items.map((item) => unmarshall(item));
}

/** A query of an index asks one shard, so the document has it repeated for each. */
const repeated = (code: string): readonly AwsCommand[] =>
  (code.includes("$SHARD") ? SHARDS : ["0"]).map((SHARD) => awsCommand(code, { ...variables, SHARD }));

/** Newest first; the items of a total as one. */
function told(items: readonly Found[]): readonly string[] {
  const isTotal = items.some(({ pk }) => `${pk}`.startsWith("TOTAL#"));
  if (isTotal) {
    const sum = (name: string) => items.reduce((all, item) => all + Number(item[name]), 0);
    return [[Math.round(sum("spent_usd") * 1e6) / 1e6, sum("allowed_calls"), sum("denied_calls")].join(" ")];
  }
  return [...items]
    .sort((one, other) => (`${one["at_id"]}` < `${other["at_id"]}` ? 1 : -1))
    .map((item) => {
      const usd = item["cost_usd"];
      return [item["agent_run_label"], item["event"], ...(usd === undefined ? [] : [usd])].join(" ");
    });
}

test("every pattern has its two commands, and every command is tested", () => {
  const headings = Object.keys(FOUND);

  expect(COMMANDS.map(({ heading }) => heading)).toEqual(headings.flatMap((heading) => [heading, heading]));
  expect(COMMANDS.map(({ code }) => code.split(" ", 3)[2])).toEqual(
    headings.flatMap(() => ["query", "execute-statement"]),
  );
});

test("every variable that the commands ask for is explained in the document", () => {
  const explained = codeBlocks(DOCUMENT)
    .filter(({ code }) => code.startsWith("export "))
    .flatMap(({ code }) => [...code.matchAll(/([A-Z_]+)=/g)].map(([, name]) => name ?? ""));

  expect(explained.filter((name) => !name.startsWith("AWS_")).toSorted()).toEqual(
    [...Object.keys(variables), "SHARD"].toSorted(),
  );
});

describe.each(COMMANDS)("$heading", ({ heading, code }) => {
  const expected = FOUND[heading] ?? [];

  test(`${code.split(" ", 3)[2]} finds what it says`, async () => {
    const items: Found[] = [];
    for (const command of repeated(code)) items.push(...(await found(command)));

    expect(told(items)).toEqual(expected);
  });
});

/** Guarantees that a command which the AWS CLI would read otherwise is no test that passes. */
test.each([
  ["an unknown flag", "aws dynamodb query --endpoint-url $DYNAMODB --max-items 1"],
  ["an unknown variable", "aws dynamodb query --endpoint-url $NOWHERE"],
  ["another operation", "aws dynamodb get-item --endpoint-url $DYNAMODB --table-name keybrake-audit"],
  ["a scan of everything", "aws dynamodb scan --endpoint-url $DYNAMODB --table-name keybrake-audit"],
  ["a flag twice", "aws dynamodb query --endpoint-url $DYNAMODB --endpoint-url $DYNAMODB"],
  [
    "a number as shorthand",
    `aws dynamodb execute-statement --endpoint-url $DYNAMODB --statement 'x' --parameters "N=1"`,
  ],
  ["an open quote", `aws dynamodb query --endpoint-url "$DYNAMODB`],
])("%s is refused", (_, command) => {
  expect(() => awsCommand(command, { DYNAMODB: "http://127.0.0.1:1" })).toThrow();
});
