import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import type { ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { brotliCompressSync, deflateSync, gzipSync, zstdCompressSync } from "node:zlib";
import { DynamoDBClient, ScanCommand } from "@aws-sdk/client-dynamodb";
import { afterAll, beforeAll, expect, test } from "vitest";
import { standIn } from "../../local/aws/stand-in.ts";
import { TABLES } from "../../local/aws/tables.ts";
import { eventually } from "../support/eventually.ts";
import { textAt } from "../support/json.ts";
import { type Asked, ask, type Key, type Reply } from "../support/keybrake.ts";
import { answer, broken, type OwnUpstream, startOwnUpstream } from "../support/own-upstream.ts";
import { requestBytes, sendBytes } from "../support/raw-tcp.ts";
import { killAllStarted, type Started, start } from "../support/start.ts";

/**
 * Guarantees that no secret leaves: a run with recognisable secrets, in every place where a caller or a vendor can put
 * one, after which nothing that came out of it or stayed behind in it contains any of them.
 */

const CREDENTIAL = "sk_live_RecognisableCredential0001";
const API_KEY = "kb_RecognisableApiKey0002";

let folder: string;
let upstream: OwnUpstream;
let run: Started;
/** Everything that came back, but for the answers that hand a key out. */
const seen: string[] = [];
const tokens: string[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "keybrake-secrets-"));
  upstream = await startOwnUpstream();
  run = await start({
    KEYBRAKE_API_KEY: API_KEY,
    KEYBRAKE_STRIPE_ORIGIN: upstream.origin,
    STRIPE_SECRET_KEY: CREDENTIAL,
    KEYBRAKE_DATA: join(folder, "data"),
    POWERTOOLS_LOG_LEVEL: "DEBUG",
  });
  await everythingThatCanHappen();
});
afterAll(async () => {
  await killAllStarted();
  await upstream.close();
  await rm(folder, { recursive: true });
});

async function asked(method: string, path: string, request: Asked = {}): Promise<Reply> {
  const reply = await ask(run, method, path, request);
  seen.push(`${reply.status} ${JSON.stringify(reply.rawHeaders)} ${reply.text}`);
  return reply;
}

/** A new key; its answer is kept without the one place where the secret belongs. */
async function issued(body: Readonly<Record<string, unknown>> = {}): Promise<Key> {
  const json = { vendor: "stripe", daily_usd_cap: 50, agent_run_label: "secrets/1", ...body };
  const reply = await ask(run, "POST", "/vault/keys", { token: API_KEY, json });
  const token = textAt(reply.json, "vault_key");
  tokens.push(token);
  seen.push(JSON.stringify(reply.rawHeaders) + reply.text.replace(`"vault_key":"${token}"`, ""));
  return { id: textAt(reply.json, "id"), token };
}

const FORM = { amount: "100", currency: "usd" };
/** The credential in an answer that has a coding, or one that nobody here can undo. */
const CODED = Object.entries({
  gzip: gzipSync,
  br: brotliCompressSync,
  deflate: deflateSync,
  zstd: zstdCompressSync,
  "gzip, br": (text: string) => brotliCompressSync(gzipSync(text)),
  compress: (text: string) => Buffer.from(text),
}).map(([coding, encode]) => (response: ServerResponse) => {
  const text = JSON.stringify({ id: "pi_5", object: "payment_intent", amount: 100, note: CREDENTIAL });
  response.writeHead(200, { "Content-Encoding": coding }).end(encode(text));
});

const LEAKS = [
  answer(200, { id: "pi_1", object: "payment_intent", amount: 100, note: CREDENTIAL }),
  answer(200, { id: CREDENTIAL, object: "payment_intent", customer: CREDENTIAL, amount: 100 }),
  answer(200, { id: "pi_2", object: "payment_intent", amount: 100 }, { "Request-Id": CREDENTIAL }),
  answer(200, {
    id: "pi_2",
    object: "payment_intent",
    currency: CREDENTIAL,
    amount: 100,
  }),
  answer(402, {
    error: { message: CREDENTIAL, payment_intent: { id: "pi_3", amount: 100, currency: CREDENTIAL } },
  }),
  answer(401, { error: { message: `Invalid API Key provided: ${CREDENTIAL}` } }),
  answer(500, CREDENTIAL),
  ...[
    CREDENTIAL.replace("sk", "\\u0073k"),
    encodeURIComponent(CREDENTIAL).replaceAll("_", "%5f"),
    CREDENTIAL.replaceAll("_", "&#95;"),
    Buffer.from(`a${CREDENTIAL}`).toString("base64url"),
  ].map((spelling) =>
    answer(200, `{"id":"pi_4","object":"payment_intent","amount":100,"note":"${spelling}"}`),
  ),
  ...CODED,
  answer(200, "{}", { "X-Debug": CREDENTIAL }),
  broken(true),
  broken(false),
];

async function everythingThatCanHappen(): Promise<void> {
  const key = await issued();
  const { token } = key;
  const call = (request: Asked = {}, path = "/stripe/v1/payment_intents") =>
    asked("POST", path, { token, form: FORM, ...request });

  await call();
  for (const leak of LEAKS) {
    upstream.next(leak);
    const { status } = await call({ headers: { "Idempotency-Key": `leak-${LEAKS.indexOf(leak)}` } });
    expect(status).toBe(502);
  }
  upstream.next(answer(200, { data: [CREDENTIAL] }));
  await asked("GET", "/stripe/v1/customers", { token });

  // Where a careless caller puts a secret.
  for (const secret of [token, CREDENTIAL, API_KEY]) {
    await call({ headers: { "Idempotency-Key": `${secret}-${tokens.length}` } });
    await call({ headers: { "Keybrake-Label": secret, "User-Agent": `agent ${secret}` } });
    await call({ headers: { "Stripe-Account": secret } });
    await call({ form: { ...FORM, amount: secret } });
    await call({ form: { ...FORM, currency: secret } });
    await call({ form: { ...FORM, [secret]: "1", "a b": "2" } });
    await call({}, `/stripe/v1/payment_intents/${secret}`);
    await call({}, `/stripe/v1/nonsense/${secret}`);
    await call({}, `/stripe/v1/%20${secret}`);
    await call({}, `/stripe/v1/payment_intents?api_key=${secret}`);
    await asked("GET", `/stripe/v1/customers/${secret}x`, { token });
    await asked("GET", `/vault/keys/${secret}`, { token: API_KEY });
    await asked("GET", `/vault/audit?call_id=${secret}`, { token: API_KEY });
    await asked("GET", `/vault/audit?cursor=${secret}`, { token: API_KEY });
    await asked("GET", `/vault/nonsense/${secret}`, { token: API_KEY });
    for (const wrong of [`${secret}x`, secret.slice(0, -1)]) {
      await call({ token: wrong });
      await asked("GET", "/vault/keys/self", { token: wrong });
      await asked("GET", "/vault/audit", { token: wrong });
    }
  }
  for (const secret of [CREDENTIAL, API_KEY]) await call({ token: secret });
  for (const secret of [CREDENTIAL, token]) await asked("POST", "/vault/keys", { token: secret, json: {} });
  const bare = await sendBytes(
    run.baseUrl,
    requestBytes(token, { target: `http://x/${token}`, headers: ["constructor: 1"] }),
  );
  seen.push(JSON.stringify(bare));

  const narrow = await issued({ allowed_endpoints: ["GET /v1/customers"] });
  await call({ token: narrow.token });
  const poor = await issued({ daily_usd_cap: 0.5 });
  await call({ token: poor.token });
  await asked("GET", "/vault/keys/self", { token });
  await asked("GET", `/vault/keys/${key.id}`, { token: API_KEY });
  await asked("PATCH", `/vault/keys/${key.id}`, { token: API_KEY, json: { daily_usd_cap: 60 } });
  await asked("POST", "/vault/keys/self/revoke", { token: narrow.token });
  await call({ token: narrow.token });
  await asked("DELETE", `/vault/keys/${poor.id}`, { token: API_KEY });

  await eventually(async () => {
    const last = await ask(run, "GET", `/vault/audit?key_id=${poor.id}`, { token: API_KEY });
    expect(last.text).toContain("key.revoked");
  });
  for (const Accept of ["application/json", "text/csv", "application/x-ndjson"])
    await asked("GET", "/vault/audit?limit=100&events=true", { token: API_KEY, headers: { Accept } });
}

/** Where a text contains a secret: the secret and what stands around it. */
const leaksIn = (name: string, text: string): readonly string[] =>
  [CREDENTIAL, API_KEY, ...tokens, ...tokens.map((token) => token.slice(19, 51))].flatMap((secret) => {
    const at = text.indexOf(secret);
    return at < 0 ? [] : [`${name}: …${text.slice(Math.max(0, at - 150), at + secret.length + 20)}…`];
  });

test("no answer, no header and no export contains a secret, but for the answer that issues a key", () => {
  expect(seen.length).toBeGreaterThan(80);
  expect(seen.flatMap((text) => leaksIn("answer", text))).toEqual([]);
});

test("what is printed and logged contains none, at the most talkative level", () => {
  expect(run.stdout()).toContain("ready ");
  expect(leaksIn("stdout", run.stdout())).toEqual([]);
  expect(leaksIn("stderr", run.stderr())).toEqual([]);
});

test("no item of either table contains one", async () => {
  const client = new DynamoDBClient(standIn(run.dynamodbEndpoint));
  for (const { name } of TABLES) {
    const { Items = [], LastEvaluatedKey: more } = await client.send(new ScanCommand({ TableName: name }));
    expect(more).toBeUndefined();
    expect(Items.length).toBeGreaterThan(30);
    expect(
      Items.flatMap((item) => leaksIn(`${name} ${JSON.stringify(item["pk"])}`, JSON.stringify(item))),
    ).toEqual([]);
  }
  client.destroy();
});

test("no file that the run leaves behind contains one", async () => {
  expect(await run.kill("SIGTERM")).toBe(0);
  const names = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = names.filter((entry) => entry.isFile());
  expect(files.map(({ name }) => name)).toContain("data");
  for (const { name, parentPath } of files)
    expect(leaksIn(name, (await readFile(join(parentPath, name))).toString("latin1"))).toEqual([]);
});

test("the vendor gets its own credential and never a key of ours, but where a caller writes one into the request", () => {
  const headers = upstream.requests.map(({ rawHeaders }) => rawHeaders);
  expect(headers.length).toBeGreaterThan(10);
  for (const raw of headers)
    expect(raw[raw.findIndex((name) => /^authorization$/i.test(name)) + 1]).toBe(`Bearer ${CREDENTIAL}`);
});
