import {
  GetSecretValueCommand,
  ListSecretsCommand,
  SecretsManagerClient,
} from "@aws-sdk/client-secrets-manager";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type LocalSecretsManager, startSecretsManager } from "../../../local/aws/secrets-manager.ts";
import { standIn } from "../../../local/aws/stand-in.ts";

/** Guarantees that the local Secrets Manager answers like the one of AWS. */

const secrets = new Map([
  ["keybrake/stripe/default", "sk_test_1"],
  ["keybrake/empty", ""],
]);

const ACCESS_KEY_ID = "known-to-this-run";

let manager: LocalSecretsManager;
let client: SecretsManagerClient;
beforeAll(async () => {
  manager = await startSecretsManager(secrets, ACCESS_KEY_ID);
  client = new SecretsManagerClient({
    ...standIn(manager.endpoint),
    credentials: { accessKeyId: ACCESS_KEY_ID, secretAccessKey: "any" },
    maxAttempts: 1,
  });
});
afterAll(async () => {
  client.destroy();
  await manager.close();
});

const get = (id: string) => client.send(new GetSecretValueCommand({ SecretId: id }));

test("a secret is read by name and by ARN", async () => {
  const byName = await get("keybrake/stripe/default");

  expect(byName).toMatchObject({
    ARN: "arn:aws:secretsmanager:us-east-1:000000000000:secret:keybrake/stripe/default-local0",
    Name: "keybrake/stripe/default",
    SecretString: "sk_test_1",
    VersionStages: ["AWSCURRENT"],
  });
  const byArn = await get(byName.ARN ?? "");
  expect(byArn).toMatchObject({ SecretString: "sk_test_1", VersionId: byName.VersionId });
});

test("whoever does not sign with the access key of the run gets nothing", async () => {
  for (const authorization of [
    undefined,
    "",
    "Bearer known-to-this-run",
    "AWS4-HMAC-SHA256 Credential=local/2026/x",
  ]) {
    const answer = await fetch(manager.endpoint, {
      method: "POST",
      headers: {
        "X-Amz-Target": "secretsmanager.GetSecretValue",
        ...(authorization !== undefined && { Authorization: authorization }),
      },
      body: JSON.stringify({ SecretId: "keybrake/stripe/default" }),
    });
    expect(answer.status).toBe(400);
    expect(await answer.text()).not.toContain("sk_test");
  }
});

test("a new value has a new version", async () => {
  const { VersionId: before } = await get("keybrake/stripe/default");
  secrets.set("keybrake/stripe/default", "sk_test_2");

  const after = await get("keybrake/stripe/default");
  expect(after.SecretString).toBe("sk_test_2");
  expect(after.VersionId).not.toBe(before);
});

test.each([
  ["unknown", "keybrake/none", "Secrets Manager can't find the specified secret."],
  [
    "without a value",
    "keybrake/empty",
    "Secrets Manager can't find the specified secret value for staging label: AWSCURRENT",
  ],
])("a secret that is %s is refused in AWS's words", async (_, id, message) => {
  await expect(get(id)).rejects.toMatchObject({ name: "ResourceNotFoundException", message });
});

test("another operation is unknown", async () => {
  await expect(client.send(new ListSecretsCommand({}))).rejects.toMatchObject({
    name: "UnknownOperationException",
  });
});
