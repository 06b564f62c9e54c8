import { createHash, createHmac } from "node:crypto";
import { createServer, type IncomingMessage, type Server } from "node:http";
import https from "node:https";
import type { AddressInfo } from "node:net";
import { inspect } from "node:util";
import {
  ConditionalCheckFailedException,
  GetItemCommand,
  TransactionCanceledException,
  TransactWriteItemsCommand,
  UpdateItemCommand,
} from "@aws-sdk/client-dynamodb";
import { GetSecretValueCommand } from "@aws-sdk/client-secrets-manager";
import { Sha256 } from "@smithy/core/checksum";
import { SignatureV4 } from "@smithy/signature-v4";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { Signer, signingKey } from "../../lambda/adapters/aws-signature.ts";
import { type DynamoClients, dynamoClients } from "../../lambda/adapters/dynamo-clients.ts";
import { sendFailure } from "../../lambda/adapters/dynamo-errors.ts";
import { secretsManagerClient } from "../../lambda/adapters/secrets-manager.ts";

/**
 * Guarantees that what goes to AWS past the SDK's own middleware is signed as AWS wants it, is repeated just where the SDK repeats
 * it, and that its answers are read as the SDK reads them. The server checks signatures by the text of AWS's documentation, and
 * knows nothing of our signer.
 */

interface Seen {
  readonly headers: IncomingMessage["headers"];
  readonly body: string;
}
interface Answer {
  readonly status: number;
  readonly body: string;
  readonly headers?: Readonly<Record<string, string>>;
}

const SECRET = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
const KEY = { pk: { S: "KEY#1" }, sk: { S: "BALANCE" } };
const get = () => new GetItemCommand({ TableName: "t", Key: KEY });
const update = () => new UpdateItemCommand({ TableName: "t", Key: KEY });
const ok = (output: object): Answer => ({ status: 200, body: JSON.stringify(output) });
const error = (type: string, more: object = {}, status = 400): Answer => ({
  status,
  body: JSON.stringify({ __type: `com.amazonaws.dynamodb.v20120810#${type}`, message: "on demand", ...more }),
});

let server: Server;
let seen: Seen[];
let answers: Answer[];
/** How far the server's clock is ahead of ours. */
let aheadMs: number;
let clients: DynamoClients;

beforeAll(async () => {
  server = createServer(async (request, response) => {
    let body = "";
    for await (const chunk of request) body += String(chunk);
    const { headers } = request;
    seen.push({ headers, body });
    const problem = problemOf(headers, body);
    const answer = problem === null ? (answers.shift() ?? ok({})) : error(problem);
    const date = new Date(Date.now() + aheadMs).toUTCString();
    response.writeHead(answer.status, { date, ...answer.headers }).end(answer.body);
  });
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

beforeEach(() => {
  [seen, answers, aheadMs] = [[], [], 0];
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  vi.stubEnv("AWS_ENDPOINT_URL_DYNAMODB", endpoint);
  vi.stubEnv("AWS_ENDPOINT_URL_SECRETS_MANAGER", endpoint);
  vi.stubEnv("AWS_REGION", "eu-central-1");
  vi.stubEnv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE");
  vi.stubEnv("AWS_SECRET_ACCESS_KEY", SECRET);
  vi.stubEnv("AWS_SESSION_TOKEN", "a-token/of+a=role");
  clients = dynamoClients(2_000);
});
afterEach(() => {
  vi.unstubAllEnvs();
});

/** What is wrong with a signature, by its error's name; null where nothing is. Sources as in aws-signature.ts. */
function problemOf(headers: IncomingMessage["headers"], body: string): string | null {
  const [, scope = "", names = "", signature] =
    /^AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE\/(\S+), SignedHeaders=(\S+), Signature=([0-9a-f]{64})$/.exec(
      headers.authorization ?? "",
    ) ?? [];
  const at = String(headers["x-amz-date"]);
  const [year, month, day, hour, minute, second] = at.match(/\d\d(?:\d\d(?=\d{4}T))?/g) ?? [];
  const atMs = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
  if (!(Math.abs(Date.now() + aheadMs - atMs) < 300_000)) return "InvalidSignatureException";

  const signed = names.split(";");
  const needed = [
    "host",
    "content-type",
    ...Object.keys(headers).filter((name) => name.startsWith("x-amz-")),
  ];
  if (needed.some((name) => !signed.includes(name))) return "IncompleteSignature";
  const lines = signed.map((name) => `${name}:${headers[name]}\n`).join("");
  const sha256 = (text: string) => createHash("sha256").update(text).digest("hex");
  const canonical = ["POST", "/", "", lines, names, sha256(body)].join("\n");
  const hmac = (key: Buffer | string, text: string) => createHmac("sha256", key).update(text).digest();
  const [date = "", region = "", service = "", end = ""] = scope.split("/");
  const key = hmac(hmac(hmac(hmac(`AWS4${SECRET}`, date), region), service), end);
  const expected = hmac(key, ["AWS4-HMAC-SHA256", at, scope, sha256(canonical)].join("\n")).toString("hex");
  return expected === signature ? null : "InvalidSignatureException";
}

describe("a signature", () => {
  test("is made with the key of AWS's own example", () => {
    // "Examples of how to derive a signing key for Signature Version 4", AWS General Reference, read 2026-11-28.
    expect(signingKey(SECRET, "20150830/us-east-1/iam/aws4_request").export().toString("hex")).toBe(
      "c4afb1cc5771d871763a393e44b703571b55cc28424d1a5e86da6ed3c154a4b9",
    );
  });

  test.each([undefined, "a-token"])("is the SDK's own, with the session token %s", async (sessionToken) => {
    const credentials = { accessKeyId: "AKIDEXAMPLE", secretAccessKey: SECRET, sessionToken };
    const signer = new Signer("eu-central-1", "dynamodb");
    const [host, target, body] = [
      "dynamodb.eu-central-1.amazonaws.com",
      "DynamoDB_20120810.GetItem",
      '{"ä":1}',
    ];
    const contentType = "application/x-amz-json-1.0";
    for (const day of ["2026-11-28", "2026-11-29", "2026-11-28"]) {
      const at = new Date(`${day}T23:59:59.900Z`);
      const ours = signer.headers(credentials, { host, contentType, target, body, atMs: at.getTime() });
      const theirs = await new SignatureV4({
        ...{ region: "eu-central-1", service: "dynamodb", applyChecksum: false },
        credentials: {
          accessKeyId: "AKIDEXAMPLE",
          secretAccessKey: SECRET,
          ...(sessionToken && { sessionToken }),
        },
        sha256: Sha256,
      }).sign(
        {
          ...{ method: "POST", protocol: "https:", hostname: host, path: "/", query: {}, body },
          headers: { host, "content-type": contentType, "x-amz-target": target },
        },
        { signingDate: at },
      );
      expect(ours).toEqual(theirs.headers);
    }
  });
});

describe("a request", () => {
  test("has the token of the role, and the credentials of now", async () => {
    await clients.steady.send(get());
    expect(seen[0]?.headers["x-amz-security-token"]).toBe("a-token/of+a=role");

    vi.stubEnv("AWS_SESSION_TOKEN", "another");
    await clients.steady.send(get());
    vi.stubEnv("AWS_SESSION_TOKEN", undefined);
    await clients.once.send(get());
    expect(seen.map(({ headers }) => headers["x-amz-security-token"])).toEqual([
      "a-token/of+a=role",
      "another",
      undefined,
    ]);
  });

  test("is not sent without credentials, and that is certain", async () => {
    vi.stubEnv("AWS_SECRET_ACCESS_KEY", undefined);
    const thrown = await clients.once.send(update()).catch((cause: unknown) => cause);

    expect(thrown).toMatchObject({ name: "CredentialsProviderError" });
    expect(sendFailure(thrown)).toBe("refused");
    expect(seen).toEqual([]);
  });

  test("goes to AWS's own address where no other is set", async () => {
    vi.stubEnv("AWS_ENDPOINT_URL_DYNAMODB", undefined);
    const asked = vi.spyOn(https, "request").mockImplementation(() => {
      throw new Error("not in a test");
    });

    await expect(clients.once.send(get())).rejects.toThrow("not in a test");
    expect(asked.mock.calls[0]).toMatchObject([
      { hostname: "dynamodb.eu-central-1.amazonaws.com", port: "", path: "/", method: "POST" },
    ]);
    expect(asked.mock.calls[0]?.[0]).toMatchObject({
      headers: { host: "dynamodb.eu-central-1.amazonaws.com" },
    });
    asked.mockRestore();
  });

  test("is not sent where the address that is set has a path", async () => {
    vi.stubEnv("AWS_ENDPOINT_URL_DYNAMODB", `${process.env["AWS_ENDPOINT_URL_DYNAMODB"]}/behind/a/path`);
    const sent = dynamoClients(2_000).steady.send(get());

    await expect(sent).rejects.toThrow("the address of dynamodb has more than a host and a port");
    expect(seen).toEqual([]);
  });

  test("says what the command says, and the answer is read as it is", async () => {
    answers.push(ok({ Item: { ...KEY, n: { N: "12345678901234567890" } } }));
    const { Item: item, $metadata } = await clients.steady.send(
      new GetItemCommand({ TableName: "t", Key: KEY, ConsistentRead: true, ProjectionExpression: undefined }),
    );

    expect(item).toEqual({ ...KEY, n: { N: "12345678901234567890" } });
    expect($metadata).toMatchObject({ httpStatusCode: 200, attempts: 1 });
    expect(seen[0]?.headers).toMatchObject({
      "x-amz-target": "DynamoDB_20120810.GetItem",
      "content-type": "application/x-amz-json-1.0",
    });
    expect(JSON.parse(seen[0]?.body ?? "")).toEqual({ TableName: "t", Key: KEY, ConsistentRead: true });
  });

  test("to Secrets Manager is signed too, and its answer read", async () => {
    answers.push(ok({ SecretString: "sk_test" }));
    const secrets = secretsManagerClient(2_000);
    const { SecretString } = await secrets.send(new GetSecretValueCommand({ SecretId: "s" }));

    expect(SecretString).toBe("sk_test");
    expect(seen[0]?.headers["x-amz-target"]).toBe("secretsmanager.GetSecretValue");
    expect(seen[0]?.headers.authorization).toContain("/eu-central-1/secretsmanager/aws4_request");
  });
});

describe("a refusal", () => {
  test("of a condition has the item", async () => {
    answers.push(error("ConditionalCheckFailedException", { Item: KEY }));
    const thrown = await clients.once.send(update()).catch((cause: unknown) => cause);

    if (!(thrown instanceof ConditionalCheckFailedException)) throw thrown;
    expect(thrown.Item).toEqual(KEY);
    expect(thrown.message).toBe("on demand");
    expect(sendFailure(thrown)).toBe("refused");
  });

  test("of a transaction has its reasons", async () => {
    const reasons = [{ Code: "ConditionalCheckFailed", Item: KEY, Message: "no" }, { Code: "None" }];
    answers.push(error("TransactionCanceledException", { CancellationReasons: reasons }));
    const command = new TransactWriteItemsCommand({ TransactItems: [] });
    const thrown = await clients.steady.send(command).catch((cause: unknown) => cause);

    if (!(thrown instanceof TransactionCanceledException)) throw thrown;
    expect(thrown.CancellationReasons).toEqual(reasons);
    expect(seen).toHaveLength(1);
  });

  test("by a name in the header, or one that nobody knows, keeps its name", async () => {
    answers.push(
      {
        status: 400,
        body: '{"message":"no"}',
        headers: { "x-amzn-errortype": "ValidationException:http://x" },
      },
      error("SomethingNew"),
    );
    for (const name of ["ValidationException", "SomethingNew"])
      await expect(clients.once.send(update())).rejects.toMatchObject({ name });
  });
});

describe("a success that says nothing is none", () => {
  test.each([
    ["empty", ""],
    ["null", "null"],
    ["a text", '"ok"'],
    ["a list", "[]"],
    ["an error by its type", '{"__type":"com.amazonaws.dynamodb.v20120810#ThrottlingException"}'],
    ["cut short", '{"Attributes":{'],
  ])("where the answer is %s", async (_, body) => {
    answers.push({ status: 200, body });
    const thrown = await clients.once.send(update()).then(
      () => "taken for a success",
      (cause: unknown) => cause,
    );

    expect(thrown).toBeInstanceOf(Error);
    expect(sendFailure(thrown)).toBe("unknown");
    expect(seen).toHaveLength(1);
  });

  test.each([
    ["an address to go to, which nobody follows", 307, { location: "/elsewhere" }],
    ["any other status", 204, {}],
  ])("nor is %s", async (_, status, headers) => {
    answers.push({ status, body: "", headers });
    const thrown = await clients.once.send(update()).catch((cause: unknown) => cause);

    expect(sendFailure(thrown)).toBe("unknown");
    expect(seen).toHaveLength(1);
  });
});

describe("no message of an error has a secret", () => {
  test.each([
    [200, '{"SecretString":sk_odd_7}'],
    [200, '{"SecretString":"sk_odd_7"} sk_odd_7'],
    [503, "sk_odd_7"],
    [400, '{"__type":sk_odd_7}'],
  ])("of an answer of status %i that is no JSON", async (status, body) => {
    answers.push({ status, body }, { status, body });
    const asked = secretsManagerClient(2_000).send(new GetSecretValueCommand({ SecretId: "s" }));
    const thrown = await asked.catch((cause: unknown) => cause);

    expect(thrown).toBeInstanceOf(Error);
    expect(inspect(thrown)).not.toContain("odd_7");
  });

  test("of the role, which AWS repeats where a signature is wrong", async () => {
    const canonical = `x-amz-date:20261128T000000Z\nx-amz-security-token:a-token/of+a=role\n`;
    answers.push({
      status: 400,
      body: JSON.stringify({
        __type: "com.amazon.coral.service#InvalidSignatureException",
        message: `The Canonical String for this request should have been\n'POST\n/\n\n${canonical}'`,
      }),
    });
    const thrown = await clients.once.send(update()).catch((cause: unknown) => cause);

    expect(thrown).toMatchObject({ name: "InvalidSignatureException" });
    expect(sendFailure(thrown)).toBe("refused");
    expect(inspect(thrown)).toContain("The Canonical String for this request should have been");
    expect(inspect(thrown)).not.toContain("a-token");
  });
});

const broken = { status: 503, body: "<html>" };
describe("sent once is sent once", () => {
  test.each([
    ["throttled", error("ThrottlingException"), "passing"],
    ["a fault of the service", error("InternalServerError", {}, 500), "unknown"],
    ["no JSON", broken, "unknown"],
    ["an error that looks like a connection", error("Odd", { syscall: "connect" }, 500), "unknown"],
    [
      "an error with a second name",
      error("Odd", { name: "ValidationException", code: "Throttling" }),
      "unknown",
    ],
    ["an error with the name of another object", error("constructor", {}, 500), "unknown"],
    ["a success that is no JSON", { status: 200, body: '{"Attributes":' }, "unknown"],
  ] as const)("where the answer is %s", async (_, answer, failure) => {
    answers.push(answer);
    const thrown = await clients.once.send(update()).catch((cause: unknown) => cause);

    expect(sendFailure(thrown)).toBe(failure);
    expect(seen).toHaveLength(1);
  });
});

describe("what is harmless twice is sent again", () => {
  test.each([
    ["throttled", error("ThrottlingException")],
    ["answered with a fault of the service", error("InternalServerError", {}, 500)],
    ["answered with no JSON", broken],
  ])("where it was %s", async (_, answer) => {
    answers.push(answer, ok({ Item: KEY }));

    expect(await clients.steady.send(get())).toMatchObject({ Item: KEY, $metadata: { attempts: 2 } });
    expect(seen).toHaveLength(2);
  });

  test.each([
    ["a condition failed", error("ConditionalCheckFailedException")],
    ["a transaction was in the way", error("TransactionConflictException")],
    ["it is not valid", error("ValidationException")],
  ])("but not where %s", async (_, answer) => {
    answers.push(answer);

    await expect(clients.steady.send(get())).rejects.toThrow("on demand");
    expect(seen).toHaveLength(1);
  });

  test("a transaction has one token for all its sends, and a new one each time", async () => {
    answers.push(broken);
    const command = () => new TransactWriteItemsCommand({ TransactItems: [] });
    await clients.steady.send(command());
    await clients.steady.send(command());
    await clients.steady.send(
      new TransactWriteItemsCommand({ TransactItems: [], ClientRequestToken: "ours" }),
    );

    const tokens = seen.map(({ body }) => JSON.parse(body).ClientRequestToken);
    expect(tokens).toEqual([tokens[0], tokens[0], tokens[2], "ours"]);
    expect(tokens[0]).toMatch(/^[0-9a-f-]{36}$/);
    expect(tokens[2]).not.toBe(tokens[0]);
  });

  test("a transaction has no token where the engine takes none", async () => {
    const without = dynamoClients(2_000, false);
    await without.steady.send(new TransactWriteItemsCommand({ TransactItems: [] }));

    expect(JSON.parse(seen[0]?.body ?? "")).toEqual({ TransactItems: [] });
  });
});

describe("a clock that is wrong", () => {
  test.each([1_200_000, -1_200_000])("by %i ms is put right by the first refusal", async (ms) => {
    aheadMs = ms;
    answers.push(ok({ Item: KEY }));

    expect(await clients.steady.send(get())).toMatchObject({ Item: KEY });
    expect(seen).toHaveLength(2);
    await clients.steady.send(get());
    expect(seen).toHaveLength(3);
  });

  test("refuses a write that is sent once, certainly, and the next one passes", async () => {
    aheadMs = 1_200_000;
    const thrown = await clients.once.send(update()).catch((cause: unknown) => cause);

    expect(sendFailure(thrown)).toBe("refused");
    expect(seen).toHaveLength(1);
    await clients.once.send(update());
    expect(seen).toHaveLength(2);
  });
});
