import { readFileSync } from "node:fs";
import { ListObjectsV2Command, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { afterAll, beforeAll, expect, test } from "vitest";
import { policyItem } from "../../lambda/adapters/vault-items/policy-item.ts";
import { deploymentUnderTest } from "../support/deployed.ts";
import { eventually } from "../support/eventually.ts";
import { at, listAt, textAt } from "../support/json.ts";
import { ask, auditRows, callRows, issue, type OwnRun, pay, startOwn } from "../support/keybrake.ts";
import { policyOf } from "../support/vault-facts.ts";
import { CANNOT_HOLD } from "./cannot-hold.ts";
import { OUTPUTS_VARIABLE, type Outputs, printed } from "./deployment.ts";

/** What an operator does with a fresh deployment, by the commands that the stack prints. */

const outputs: Outputs = JSON.parse(process.env[OUTPUTS_VARIABLE] ?? "{}");
const deployment = deploymentUnderTest();
const here = { environment: process.env as Record<string, string> };
const command = (name: string, input = "") => printed(here, outputs[name] ?? "exit 3", input);

let run: OwnRun;
beforeAll(async () => {
  run = await startOwn();
});
afterAll(() => run.close());

test("before a credential is set, calls are refused with the command that sets it; after it they go through", async () => {
  const key = await issue(run);
  const refused = await pay(run, key, 100);
  expect([refused.status, at(refused.json, "error", "code")]).toEqual([503, "credential_missing"]);

  const [secretId] = /--secret-id \S+/.exec(outputs["SetStripeDefaultCommand"] ?? "") ?? [];
  expect(textAt(refused.json, "error", "message")).toContain(`put-secret-value ${secretId} --secret-string`);

  await command("SetStripeDefaultCommand", `${deployment?.stripeSecret}\n`);

  const reply = await eventually(async () => {
    const tried = await pay(run, key, 100);
    if (tried.status === 503) throw new Error(tried.text);
    return tried;
  }, 20_000);
  expect(reply.status).toBe(200);
  expect(await callRows(run, key)).toContainEqual(expect.objectContaining({ state: "settled", cost_usd: 1 }));
});

test("the API key is generated, and the gateway answers for itself in the shape of the vendors", async () => {
  // Letters and digits on AWS; MiniStack does not heed ExcludePunctuation.
  expect(run.apiKey).toMatch(/^kb_\S{40}$/);
  const place = await ask(run, "GET", "/");
  expect(place.status).toBe(200);
  // Of the host MiniStack tells a function nothing: requestContext.domainName is missing.
  expect(textAt(place.json, "stripe_base_url")).toMatch(/^https?:\/\/\S+\/prod\/stripe$/);
  const refused = await ask(run, "POST", "/", { token: run.apiKey });
  expect([refused.status, at(refused.json, "error", "code")]).toEqual([
    403,
    "gateway_missing_authentication_token",
  ]);
  expect(refused.headers).toMatchObject({
    "stripe-should-retry": "false",
    "request-id": textAt(refused.json, "error", "request_id"),
  });
});

test("the printed audit query reads the table as it is", async () => {
  const key = await issue(run, { agent_run_label: "operator/1" });
  await pay(run, key, 250);
  await callRows(run, key);

  const items = listAt(JSON.parse(await command("AuditQueryCommand")), "Items");
  const events = items.map((item) => textAt(item, "event", "S"));
  expect(events).toContain("settled");
  const today = new Date().toISOString().slice(0, 10);
  for (const item of items) expect(textAt(item, "at_id", "S").slice(0, 10)).toBe(today);
});

test("the printed replay command records a dead letter once and removes it", async () => {
  const s3 = new S3Client({ forcePathStyle: true });
  const [, bucket = ""] = / -- (\S+) (\S+)$/.exec(outputs["ReplayDeadLettersCommand"] ?? "") ?? [];
  const keyId = "key_deployedLetter";
  const image = policyItem(policyOf(keyId, { label: "letters/1" }), 1_795_400_000);
  const record = {
    eventName: "INSERT",
    dynamodb: { SequenceNumber: "1", Keys: { pk: image["pk"], sk: image["sk"] }, NewImage: image },
  };
  const body = JSON.stringify({ version: "1.0", payload: JSON.stringify({ Records: [record] }) });
  await s3.send(
    new PutObjectCommand({ Bucket: bucket, Key: "aws/lambda/one/2026/11/23/letter", Body: body }),
  );

  expect(await command("ReplayDeadLettersCommand")).toMatch(
    /recorded {2}aws\/lambda\/one\S+\n1 recorded, 0 left\n$/,
  );
  expect(await auditRows(run, { key_id: keyId })).toHaveLength(1);
  expect((await s3.send(new ListObjectsV2Command({ Bucket: bucket }))).Contents ?? []).toEqual([]);
  expect(await command("ReplayDeadLettersCommand")).toContain("holds no dead letters");
});

test.each(CANNOT_HOLD)("what is skipped is there: $test", ({ file, test: name }) => {
  expect(readFileSync(file, "utf8")).toContain(JSON.stringify(name));
});
