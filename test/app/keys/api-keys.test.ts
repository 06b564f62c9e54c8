import { expect, test } from "vitest";
import { ADMIN } from "../../../lambda/app/keys/caller.ts";
import { findCaller } from "../../../lambda/app/keys/find-caller.ts";
import { issueKey } from "../../../lambda/app/keys/issue-key.ts";
import { type ApiKeyRequest, createApiKey, revokeApiKey } from "../../../lambda/app/keys/manage-api-keys.ts";
import { UNCAPPED } from "../../../lambda/domain/balance.ts";
import { fromUsdCents } from "../../../lambda/domain/money.ts";
import { UNLIMITED } from "../../support/unlimited.ts";
import { deployment } from "./deployment.ts";

/** Guarantees that revoking an API key ends all that it issued, API keys and what they issued included. */

const CAPS = { daily: UNCAPPED, total: UNCAPPED, perCall: UNCAPPED };
const ASKED: ApiKeyRequest = {
  name: "a test",
  scopes: ["admin"],
  vendors: null,
  credentials: null,
  ceilings: { caps: CAPS, endpoints: null, expiresInS: null },
  caps: CAPS,
};
test("an API key that another one made ends with it, and so do its vault keys", async () => {
  const { ports, door } = deployment();
  const first = await createApiKey(ASKED, ADMIN, ports);
  const second = await createApiKey(
    { ...ASKED, scopes: ["issue", "read"], caps: { ...CAPS, total: fromUsdCents(1_000n) } },
    await findCaller(first.token, "admin", door),
    ports,
  );
  const { id, apiKey } = await findCaller(second.token, "issue", door);
  if (apiKey === null) throw new Error("an API key was expected");
  const { policy } = await issueKey(
    {
      vendor: "stripe",
      credential: "default",
      caps: { daily: fromUsdCents(100n) },
      allowedEndpoints: null,
      limits: UNLIMITED,
      mode: "enforce",
      maxCallsPerMinute: null,
      expiresInS: null,
      label: null,
      metadata: {},
    },
    { kind: "api_key", id, apiKey },
    null,
    ports,
  );
  expect(policy.chain.map(({ keyId, onlyRead }) => [keyId, onlyRead ?? false])).toEqual([
    [first.apiKey.apiKeyId, true],
    [second.apiKey.apiKeyId, false],
    [policy.keyId, false],
  ]);

  await revokeApiKey(first.apiKey.apiKeyId, ADMIN.id, ports);
  await expect(findCaller(second.token, "read", door)).rejects.toMatchObject({
    code: "key_revoked",
    details: { key_id: first.apiKey.apiKeyId },
  });
});

test("three API keys can stand above one and not more", async () => {
  const { ports, door } = deployment();
  let caller = ADMIN;
  for (let made = 0; made < 4; made++)
    caller = await findCaller((await createApiKey(ASKED, caller, ports)).token, "admin", door);
  await expect(createApiKey(ASKED, caller, ports)).rejects.toMatchObject({ code: "chain_too_long" });
});
