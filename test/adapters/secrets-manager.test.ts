import { SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { afterEach, beforeEach, expect, test } from "vitest";
import { CachedSecrets } from "../../lambda/adapters/secrets-manager.ts";
import { type LocalSecretsManager, startSecretsManager } from "../../local/aws/secrets-manager.ts";
import { standIn } from "../../local/aws/stand-in.ts";

/** Guarantees what docs/emergency.md says of a credential that is taken away by a blank in its place. */

const ID = "keybrake/stripe/default";
const ACCESS_KEY_ID = "known-to-this-run";
const MINUTE_MS = 60_000;

let nowMs: number;
let values: Map<string, string>;
let manager: LocalSecretsManager;
let secrets: CachedSecrets;
beforeEach(async () => {
  nowMs = 0;
  values = new Map([[ID, "sk_test_1"]]);
  manager = await startSecretsManager(values, ACCESS_KEY_ID);
  const client = new SecretsManagerClient({
    ...standIn(manager.endpoint),
    credentials: { accessKeyId: ACCESS_KEY_ID, secretAccessKey: "any" },
    maxAttempts: 1,
  });
  secrets = new CachedSecrets(client, { now: () => nowMs });
});
afterEach(() => manager.close());

test("a blank credential is no longer used after at most five minutes", async () => {
  expect(await secrets.get(ID, false)).toBe("sk_test_1");
  values.set(ID, " ");

  nowMs = 5 * MINUTE_MS - 1;
  expect(await secrets.get(ID, false)).toBe("sk_test_1");
  nowMs = 5 * MINUTE_MS;
  expect(await secrets.get(ID, false)).toBeNull();
});

test("what was known serves for an hour where Secrets Manager fails, and no longer", async () => {
  expect(await secrets.get(ID, false)).toBe("sk_test_1");
  await manager.close();

  nowMs = 60 * MINUTE_MS - 1;
  expect(await secrets.get(ID, false)).toBe("sk_test_1");
  nowMs = 60 * MINUTE_MS;
  await expect(secrets.get(ID, false)).rejects.toMatchObject({ code: "secrets_unavailable" });
  manager = await startSecretsManager(values, ACCESS_KEY_ID);
});
