import { createServer, type Server } from "node:http";
import {
  BatchGetItemCommand,
  DynamoDBClient,
  PutItemCommand,
  TransactWriteItemsCommand,
} from "@aws-sdk/client-dynamodb";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { isNotApplied, type SendFailure, sendFailure } from "../../lambda/adapters/dynamo-errors.ts";
import { standIn } from "../../local/aws/stand-in.ts";
import { listen } from "../../local/listen.ts";
import { Random } from "../simulation/random.ts";
import { eventually } from "../support/eventually.ts";
import { type FaultyWay, startFaultyWay } from "../support/faulty-way.ts";
import { MISHAP_NAMES, type MishapName, mishapOf } from "./mishaps.ts";
import { openWeather, spellOf } from "./weather.ts";

/** Guarantees that the faults between the SDK and the database are what they are called: what is carried out, and what the SDK makes of it. */

let service: Server;
let way: FaultyWay;
let client: DynamoDBClient;
let next: MishapName | null = null;
const carriedOut: string[] = [];

beforeAll(async () => {
  service = createServer(async (request, response) => {
    for await (const _ of request);
    carriedOut.push(`${request.headers["x-amz-target"]}`.split(".").at(-1) ?? "");
    response.writeHead(200, { "content-type": "application/x-amz-json-1.0" }).end('{"Attributes":{}}');
  });
  const random = new Random(1);
  way = await startFaultyWay(`http://127.0.0.1:${await listen(service, 0)}`, (asked) =>
    next === null ? null : mishapOf(next, asked, random),
  );
  client = new DynamoDBClient({ ...standIn(way.endpoint), maxAttempts: 1 });
});
beforeEach(() => {
  next = null;
  carriedOut.length = 0;
});
afterAll(async () => {
  client.destroy();
  await way.close();
  service.closeAllConnections();
  service.close();
});

const put = (by = client) => by.send(new PutItemCommand({ TableName: "t", Item: { pk: { S: "1" } } }));
const transact = () =>
  client.send(
    new TransactWriteItemsCommand({
      TransactItems: [1, 2].map((n) => ({ Put: { TableName: "t", Item: { pk: { N: `${n}` } } } })),
    }),
  );
const failureOf = (send: () => Promise<unknown>): Promise<SendFailure | "none"> =>
  send().then(() => "none" as const, sendFailure);

test.each<[mishap: MishapName, wasCarriedOut: boolean, says: SendFailure | "none"]>([
  ["reply_lost", true, "unknown"],
  ["half_reply", true, "unknown"],
  ["never_arrives", false, "unknown"],
  ["500_after", true, "unknown"],
  ["500_before", false, "unknown"],
  ["throttled", false, "passing"],
  ["conflict", false, "passing"],
  ["slow", true, "none"],
])("a write that meets %s: carried out %s, the SDK's error says %s", async (mishap, wasCarriedOut, says) => {
  for (const send of [() => put(), transact]) {
    next = mishap;
    carriedOut.length = 0;
    expect([await failureOf(send), carriedOut.length]).toEqual([says, wasCarriedOut ? 1 : 0]);
  }
});

test("a write that arrives late is carried out after its sender was told nothing", async () => {
  next = "arrives_late";
  expect(isNotApplied(await put().catch((error: unknown) => error))).toBe(false);
  expect(carriedOut).toEqual([]);
  await eventually(() => expect(carriedOut).toEqual(["PutItem"]));
});

test("a batch that is unprocessed comes back whole, in an answer of success", async () => {
  next = "unprocessed";
  const asked = { t: { Keys: [{ pk: { S: "1" } }] } };
  const { Responses, UnprocessedKeys } = await client.send(new BatchGetItemCommand({ RequestItems: asked }));
  expect([Responses, UnprocessedKeys, carriedOut]).toEqual([{}, asked, []]);
});

test("no connection opens while they are refused, which certainly carried nothing out; then they open again", async () => {
  const over = way.refuse(100);
  // One that has connections may find only with the next request that they are closed.
  const newcomer = new DynamoDBClient({ ...standIn(way.endpoint), maxAttempts: 1 });
  expect([await failureOf(() => put(newcomer)), carriedOut]).toEqual(["passing", []]);
  newcomer.destroy();
  await over;
  await eventually(() => put());
});

describe("the weather of a seed", () => {
  const faultsOf = (seed: number, spells: number): readonly string[] => {
    const told: string[] = [];
    let nowMs = 0;
    const weather = openWeather({
      seed,
      name: "dynamodb",
      onFault: (kind, operation) => told.push(`${kind} ${operation}`),
      nowMs: () => nowMs,
    });
    for (let spell = 0; spell < spells; spell++, nowMs += 3_000)
      for (let time = 0; time < 300; time++)
        for (const operation of ["UpdateItem", "TransactWriteItems", "BatchGetItem", "DescribeTable"])
          weather.befall({ operation, body: Buffer.from('{"TransactItems":[{}],"RequestItems":{}}') });
    return told;
  };

  test("is the same each time, another one for another seed, and has every kind", () => {
    const faults = faultsOf(7, 40);
    expect(faultsOf(7, 40)).toEqual(faults);
    expect(faultsOf(8, 40)).not.toEqual(faults);
    expect([...new Set(faults.map((fault) => fault.split(" ")[0]))].sort()).toEqual([...MISHAP_NAMES].sort());
    expect(faults.filter((fault) => fault.endsWith("DescribeTable"))).toEqual([]);
  });

  test("has calm spells", () => {
    const spells = Array.from({ length: 60 }, (_, number) => spellOf(7, "dynamodb", number));
    const calm = spells.filter((likely) => Object.values(likely).every((chance) => chance === 0));
    expect(calm.length).toBeGreaterThan(3);
    expect(calm.length).toBeLessThan(25);
  });
});
