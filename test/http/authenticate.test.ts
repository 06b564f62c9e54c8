import { expect, test } from "vitest";
import type { Door } from "../../lambda/app/keys/find-caller.ts";
import { authenticate } from "../../lambda/http/authenticate.ts";
import { vendorRegistry } from "../../lambda/vendors/index.ts";
import { MemoryVault } from "../support/memory-vault.ts";
import { START_MS } from "../support/vault-facts.ts";

const { secrets } = vendorRegistry();
const doorOf = (secret: string | null): Door => ({
  adminKey: async () => secret,
  vault: { apiKeys: { read: async () => null }, balances: new MemoryVault().balances },
  clock: { now: () => START_MS },
  secrets,
  apiKeyHint: null,
});
const bearer = (token: string) => ({ authorization: [`Bearer ${token}`] });

/** Guarantees that a generated key, which cannot begin with kb_, is known by its kind when it is carried about. */
test("the admin API key is the secret as it is, or with kb_ before it", async () => {
  const door = doorOf("abcDEF0123456789");
  expect(await authenticate(bearer("abcDEF0123456789"), "read", door)).toEqual({ id: "admin", apiKey: null });
  expect(await authenticate(bearer("kb_abcDEF0123456789"), "read", door)).toEqual({
    id: "admin",
    apiKey: null,
  });
});

test.each(["kb_", "abcDEF012345678", "kb_kb_abcDEF0123456789", "KB_abcDEF0123456789"])(
  "%j is none",
  async (token) => {
    await expect(authenticate(bearer(token), "read", doorOf("abcDEF0123456789"))).rejects.toMatchObject({
      code: "api_key_invalid",
    });
  },
);

test("nobody passes while there is no secret", async () => {
  await expect(authenticate(bearer("kb_"), "read", doorOf(null))).rejects.toMatchObject({
    code: "api_key_invalid",
  });
});
