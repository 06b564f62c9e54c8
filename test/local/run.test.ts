import { mkdir, mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeAll, expect, test } from "vitest";
import { build } from "../../bin/build.ts";
import { FUNCTIONS } from "../../lib/services.ts";
import { type LocalOptions, type LocalRun, startLocal } from "../../local/run.ts";
import { send } from "./http-client.ts";

/** Answers with its environment; the consumer keeps what it got where `health` can see it: they share the process. */
const ECHO = "export const handler = async () => ({ statusCode: 200, body: JSON.stringify(process.env) });";
const CONSUMED =
  "export const handler = async () => ({ statusCode: 200, body: JSON.stringify(process.consumed) });";
const CONSUMER =
  "process.consumed = []; export const handler = async ({ Records = [] }) => { process.consumed.push(...Records); return { batchItemFailures: [] }; };";

let functionsDirectory = "";
beforeAll(async () => {
  const directory = await mkdtemp(join(tmpdir(), "keybrake-run-"));
  const sources: Record<string, string> = { "record-audit": CONSUMER, "query-audit": CONSUMED };
  await mkdir(join(directory, "entries"));
  for (const name of FUNCTIONS)
    await writeFile(join(directory, "entries", `${name}.ts`), sources[name] ?? ECHO);
  functionsDirectory = join(directory, "dist");
  await build({ entryDirectory: join(directory, "entries"), outDirectory: functionsDirectory });
});

const opened: LocalRun[] = [];
afterEach(async () => {
  for (const run of opened.splice(0)) await run.close();
});

async function start(options: LocalOptions = {}): Promise<LocalRun> {
  const run = await startLocal({ functionsDirectory, ...options });
  opened.push(run);
  return run;
}

async function environmentOf({ baseUrl }: LocalRun): Promise<unknown> {
  const { body } = await send(baseUrl, { path: `${new URL(baseUrl).pathname.replace(/\/$/, "")}/healthz` });
  return JSON.parse(body.toString());
}

test("functions find tables, secrets and vendors in their environment", async () => {
  const run = await start();

  expect(run.apiKey).toMatch(/^kb_[0-9A-Za-z]{40}$/);
  expect(run.vendor("stripe").booksUrl).toBe(`${run.vendor("stripe").origin}/books`);
  expect(await environmentOf(run)).toMatchObject({
    KEYBRAKE_VAULT_TABLE: "keybrake-vault",
    KEYBRAKE_AUDIT_TABLE: "keybrake-audit",
    KEYBRAKE_ADMIN_KEY_SECRET: "keybrake/admin-api-key",
    KEYBRAKE_CREDENTIAL_SECRETS: JSON.stringify({
      stripe: { default: "keybrake/stripe/default" },
      twilio: { default: "keybrake/twilio/default" },
      resend: { default: "keybrake/resend/default" },
    }),
    KEYBRAKE_TERMS: "{}",
    KEYBRAKE_VENDOR_ORIGINS: JSON.stringify({
      stripe: run.vendor("stripe").origin,
      twilio: run.vendor("twilio").origin,
      resend: run.vendor("resend").origin,
    }),
    KEYBRAKE_AUDIT_RETENTION_DAYS: "400",
    AWS_ENDPOINT_URL_DYNAMODB: run.dynamodbEndpoint,
    AWS_ENDPOINT_URL_SECRETS_MANAGER: expect.stringMatching(/^http:\/\/[0-9a-f]{32}@127\.0\.0\.1:\d+\/$/),
  });
});

/** Guarantees that another DynamoDB, which sees who signs what it gets, cannot ask for the credentials of vendors. */
test("what DynamoDB learns opens neither the secrets nor the event bus", async () => {
  const seen = (await environmentOf(await start())) as Readonly<Record<string, string>>;
  const { AWS_ACCESS_KEY_ID: ofDynamoDb = "" } = seen;
  for (const [variable, target, input] of [
    [
      "AWS_ENDPOINT_URL_SECRETS_MANAGER",
      "secretsmanager.GetSecretValue",
      { SecretId: "keybrake/admin-api-key" },
    ],
    ["AWS_ENDPOINT_URL_EVENTBRIDGE", "AWSEvents.PutEvents", { Entries: [] }],
  ] as const) {
    const { username, origin } = new URL(seen[variable] ?? "");
    const asked = async (accessKeyId: string) => {
      const headers = {
        "X-Amz-Target": target,
        Authorization: `AWS4-HMAC-SHA256 Credential=${accessKeyId}/20261122/us-east-1/any/aws4_request`,
      };
      const answer = await fetch(origin, { method: "POST", headers, body: JSON.stringify(input) });
      return answer.text();
    };
    expect(username).not.toBe(ofDynamoDb);
    expect(await asked(ofDynamoDb), variable).toContain("UnrecognizedClientException");
    expect(await asked(username), variable).not.toContain("UnrecognizedClientException");
  }
});

/** Guarantees that a local run cannot act in the account the user's shell is set up for. */
test("nothing of the user's AWS environment reaches a function, and it is back after the run", async () => {
  const own = {
    AWS_PROFILE: "production",
    AWS_ACCESS_KEY_ID: "AKIAREAL",
    AWS_SESSION_TOKEN: "real",
    AWS_ENDPOINT_URL: "https://real",
  };
  Object.assign(process.env, own);
  const run = await start();

  const seen = await environmentOf(run);
  expect(seen).toMatchObject({
    AWS_ACCESS_KEY_ID: expect.stringMatching(/^[0-9a-f]{32}$/),
    AWS_SECRET_ACCESS_KEY: "local",
    AWS_REGION: "us-east-1",
  });
  for (const name of ["AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL"])
    expect(seen).not.toHaveProperty(name);

  await run.close();
  expect(process.env).toMatchObject(own);
  expect(process.env).not.toHaveProperty("KEYBRAKE_VAULT_TABLE");
  for (const name of Object.keys(own)) delete process.env[name];
});

test("the real Stripe needs no origin, another upstream is the functions' origin", async () => {
  const real = await start({ vendors: { stripe: { kind: "real", credential: "sk_test_1" } } });
  expect(real.vendor("stripe")).toMatchObject({ target: "real", origin: "https://api.stripe.com" });
  expect(real.vendor("stripe")).not.toHaveProperty("booksUrl");
  const simulated = JSON.stringify({
    twilio: real.vendor("twilio").origin,
    resend: real.vendor("resend").origin,
  });
  expect(await environmentOf(real)).toMatchObject({ KEYBRAKE_VENDOR_ORIGINS: simulated });
  await real.close();

  const upstream = await start({
    vendors: { stripe: { kind: "upstream", origin: "http://127.0.0.1:1", credential: "sk_test_1" } },
  });
  expect(await environmentOf(upstream)).toMatchObject({
    KEYBRAKE_VENDOR_ORIGINS: expect.stringContaining('"stripe":"http://127.0.0.1:1"'),
  });
});

test("changes of the Vault reach the consumer, and a drain waits for it", async () => {
  const run = await start({ stage: "prod" });
  await run.drain();

  const { body } = await send(run.baseUrl, { path: "/prod/vault/audit" });
  expect(JSON.parse(body.toString())).toMatchObject([
    { eventName: "INSERT", dynamodb: { Keys: { pk: { S: "LAYOUT" } } } },
  ]);
});

test("a run that cannot start leaves nothing behind", async () => {
  const first = await start();
  const port = Number(new URL(first.baseUrl).port);
  const dataFile = join(functionsDirectory, "data");
  const environment = { ...process.env };

  await expect(start({ port, dataFile })).rejects.toThrow(`port ${port} is taken`);

  expect(process.env).toEqual(environment);
  await first.close();
  await start({ dataFile });
});
