import { DynamoDBClient, GetItemCommand, PutItemCommand } from "@aws-sdk/client-dynamodb";
import type { APIGatewayProxyEvent } from "aws-lambda";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { DIST } from "../../bin/build.ts";
import { TableLayout } from "../../lambda/adapters/table-layout.ts";
import { LAYOUT_KEY, LAYOUT_VERSION } from "../../lambda/layout.ts";
import { loadFunctions } from "../../local/aws/functions.ts";
import { invocationContext } from "../../local/aws/invocation.ts";
import { standIn } from "../../local/aws/stand-in.ts";
import { inside } from "../stack/template.ts";
import { issue, type Key, type OwnRun, startOwn } from "../support/keybrake.ts";
import { type Simulator, simulatorAt } from "../support/simulator.ts";

/** Guarantees that an older version which is deployed over a newer one reads no money that it could misread. */

const TABLE = "keybrake-vault";
let run: OwnRun;
let stripe: Simulator;
let client: DynamoDBClient;
let key: Key;

beforeAll(async () => {
  run = await startOwn();
  stripe = simulatorAt(run.vendor("stripe").origin);
  client = new DynamoDBClient(standIn(run.dynamodbEndpoint));
  key = await issue(run);
});
afterAll(async () => {
  client.destroy();
  await run.close();
});

async function setLayout(version: number | null): Promise<void> {
  const item = { pk: { S: LAYOUT_KEY.pk }, sk: { S: LAYOUT_KEY.sk } };
  await client.send(
    new PutItemCommand({
      TableName: TABLE,
      Item: { ...item, ...(version === null ? {} : { version: { N: `${version}` } }) },
    }),
  );
}

async function layoutNow(): Promise<number | undefined> {
  const Key = { pk: { S: LAYOUT_KEY.pk }, sk: { S: LAYOUT_KEY.sk } };
  const { Item: item } = await client.send(new GetItemCommand({ TableName: TABLE, Key }));
  return item?.["version"]?.N === undefined ? undefined : Number(item["version"].N);
}

const event = (method: string, resource: string, token: string, rest: object = {}) =>
  ({
    httpMethod: method,
    resource,
    path: resource,
    multiValueHeaders: {
      Authorization: [`Bearer ${token}`],
      "Content-Type": ["application/x-www-form-urlencoded"],
    },
    pathParameters: {},
    body: null,
    isBase64Encoded: false,
    requestContext: { requestId: "r", path: resource, identity: { sourceIp: "192.0.2.1" } },
    ...rest,
  }) as unknown as APIGatewayProxyEvent;

/** Each with the events that it would be given; a process of its own each time. */
const REFUSED: readonly [string, () => APIGatewayProxyEvent][] = [
  [
    "proxy-call",
    () =>
      event("POST", "/stripe/{proxy+}", key.token, {
        pathParameters: { proxy: "v1/payment_intents" },
        body: "amount=100&currency=usd",
      }),
  ],
  ["own-key", () => event("GET", "/vault/keys/self", key.token)],
  ["manage-key", () => event("GET", "/vault/keys/{id}", run.apiKey, { pathParameters: { id: key.id } })],
  [
    "issue-key",
    () =>
      event("POST", "/vault/keys", run.apiKey, {
        multiValueHeaders: { Authorization: [`Bearer ${run.apiKey}`], "Content-Type": ["application/json"] },
        body: JSON.stringify({ vendor: "stripe", daily_usd_cap: 1 }),
      }),
  ],
];

describe("of a newer layout", () => {
  beforeAll(() => setLayout(LAYOUT_VERSION + 1));
  afterAll(() => setLayout(LAYOUT_VERSION));

  test.each(REFUSED)("%s refuses with 503, and nothing is charged", async (name, eventOf) => {
    const before = await stripe.spentCents();
    const invoke = loadFunctions(DIST, [name as never]);
    const answer = await invoke(name as never, eventOf(), invocationContext(name as never));
    const body: unknown = JSON.parse(`${inside(answer, "body")}`);
    expect([
      inside(answer, "statusCode"),
      inside(body, "error", "code"),
      inside(body, "error", "charged"),
    ]).toEqual([503, "ledger_unavailable", "no"]);
    expect(inside(body, "error", "message")).toMatch(/newer version of Keybrake/);
    expect(await stripe.spentCents()).toBe(before);
  });

  test.each(["record-audit", "settle-late-prices"])(
    "%s fails, and is run again by the newer version",
    async (name) => {
      const invoke = loadFunctions(DIST, [name as never]);
      await expect(invoke(name as never, { Records: [] }, invocationContext(name as never))).rejects.toThrow(
        /newer version of Keybrake/,
      );
    },
  );
});

describe("is compared", () => {
  let warnings: string[];
  beforeEach(() => {
    warnings = [];
  });
  const layout = (marks: boolean, using: DynamoDBClient = client) =>
    new TableLayout(using, TABLE, marks, (message) => warnings.push(message));
  test.each([
    ["no", null],
    ["an older", LAYOUT_VERSION - 1],
    ["the same", LAYOUT_VERSION],
  ])("%s layout is read, and marked by who writes", async (_, version) => {
    await setLayout(version);
    await layout(false).check();
    expect(await layoutNow()).toBe(version ?? undefined);
    await layout(true).check();
    expect(await layoutNow()).toBe(LAYOUT_VERSION);
    expect(warnings).toEqual([]);
  });

  test("once for each process, and again where it could not be read", async () => {
    let sent = 0;
    let fails = true;
    const counting = {
      send: async (command: never) => {
        sent += 1;
        if (fails) throw new Error("no connection");
        return client.send(command);
      },
    } as unknown as DynamoDBClient;
    await setLayout(LAYOUT_VERSION);
    const checked = layout(true, counting);
    await expect(checked.check()).rejects.toMatchObject({ code: "ledger_unavailable", charged: "no" });
    fails = false;
    await Promise.all([checked.check(), checked.check()]);
    await checked.check();
    expect(sent).toBe(2);
  });

  test("a newer one that another process marks meanwhile is refused, stays, and is logged with what to do", async () => {
    await setLayout(LAYOUT_VERSION - 1);
    let reads = 0;
    const overtaken = {
      send: async (command: { readonly constructor: { readonly name: string } }) => {
        const answer = await client.send(command as never);
        reads += 1;
        if (reads === 1) await setLayout(LAYOUT_VERSION + 1);
        return answer;
      },
    } as unknown as DynamoDBClient;
    await expect(layout(true, overtaken).check()).rejects.toMatchObject({ code: "ledger_unavailable" });
    await expect(layout(false).check()).rejects.toMatchObject({ code: "ledger_unavailable" });
    expect(warnings[0]).toMatch(
      /layout \d+, and this version of Keybrake reads layout \d+: deploy the newer version/,
    );
    await setLayout(LAYOUT_VERSION);
  });
});
