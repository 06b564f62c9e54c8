import { createServer } from "node:http";
import { text } from "node:stream/consumers";
import { DynamoDBClient, PutItemCommand, TransactWriteItemsCommand } from "@aws-sdk/client-dynamodb";
import { afterAll, beforeAll, expect, test } from "vitest";
import { withoutRequestTokens } from "../../lambda/adapters/request-tokens.ts";
import { standIn } from "../../local/aws/stand-in.ts";
import { listen } from "../../local/listen.ts";

/** Guarantees that the local engine gets no tokens, which it would look through at every transaction. */

const bodies: string[] = [];
const lengths: (string | undefined)[] = [];
const server = createServer(async (request, response) => {
  bodies.push(await text(request));
  lengths.push(request.headers["content-length"]);
  response.writeHead(200, { "Content-Type": "application/x-amz-json-1.0" }).end("{}");
});
let endpoint: string;
beforeAll(async () => {
  endpoint = `http://127.0.0.1:${await listen(server, 0)}`;
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

const LIKE_A_TOKEN = 'a,"ClientRequestToken":"b"}';

async function sent(prepare: (client: DynamoDBClient) => void): Promise<unknown> {
  const client = new DynamoDBClient(standIn(endpoint));
  prepare(client);
  const Item = { pk: { S: LIKE_A_TOKEN }, sk: { S: "b" } };
  await client.send(new TransactWriteItemsCommand({ TransactItems: [{ Put: { TableName: "t", Item } }] }));
  client.destroy();
  const body = bodies.at(-1) ?? "";
  expect(lengths.at(-1)).toBe(String(Buffer.byteLength(body)));
  return JSON.parse(body);
}

const ITEMS = [{ Put: { TableName: "t", Item: { pk: { S: LIKE_A_TOKEN }, sk: { S: "b" } } } }];

test("the SDK gives each transaction a token, and none is sent where they are taken out", async () => {
  expect(await sent(() => {})).toEqual({
    TransactItems: ITEMS,
    ClientRequestToken: expect.stringMatching(/^[\w-]{36}$/),
  });
  expect(await sent(withoutRequestTokens)).toEqual({ TransactItems: ITEMS });
});

test("other requests are sent as they are", async () => {
  const client = new DynamoDBClient(standIn(endpoint));
  withoutRequestTokens(client);
  const input = { TableName: "t", Item: { pk: { S: LIKE_A_TOKEN } } };
  await client.send(new PutItemCommand(input));
  client.destroy();

  expect(JSON.parse(bodies.at(-1) ?? "")).toEqual(input);
});
