import { describe, expect, test } from "vitest";
import {
  isSecretOf,
  labelGroup,
  looksLike,
  makeVaultKey,
  parseVaultKey,
  redact,
} from "../../lambda/domain/vault-key.ts";

const ID = "Ab1Cd2Ef3Gh4Ij5K";
const SECRET = "0123456789abcdefghijABCDEFGHIJ01";

describe("a vault key", () => {
  test("is taken apart into its id and its secret", () => {
    const { keyId, token, secretHash } = makeVaultKey(ID, SECRET);

    expect(keyId).toBe(`key_${ID}`);
    expect(token).toMatch(/^vk_[A-Za-z0-9_]{54}$/);
    expect(parseVaultKey(token)).toEqual({ keyId, secret: SECRET });
    expect(secretHash).not.toContain(SECRET);
    expect(isSecretOf(SECRET, secretHash)).toBe(true);
    expect(isSecretOf(`${SECRET.slice(0, -1)}2`, secretHash)).toBe(false);
  });

  test("with any one character wrong is no key at all", () => {
    const { token } = makeVaultKey(ID, SECRET);
    for (let at = 0; at < token.length; at++) {
      const wrong = token.slice(0, at) + (token[at] === "x" ? "y" : "x") + token.slice(at + 1);
      expect(parseVaultKey(wrong), wrong).toBeNull();
    }
  });
});

test.each([
  ["sk_live_abc", "secret key of Stripe"],
  ["rk_test_abc", "secret key of Stripe"],
  ["kb_abc", "API key of Keybrake"],
  ["vk_short", "vault key that is mistyped"],
  ["re_123", "Resend"],
  [`AC${"0".repeat(32)}`, "Twilio"],
  ["hello", "no kind of key"],
])("%s is told by its kind, and never repeated", (token, kind) => {
  expect(looksLike(token)).toContain(kind);
  expect(looksLike(token)).not.toContain(token);
});

test("whatever looks like a secret is taken out of text that is written down; ids of refunds stay", () => {
  const { token } = makeVaultKey(ID, SECRET);
  expect(redact(`/v1/x/${token} sk_live_51Habc whsec_abc re_AbCdEf12_AbCdEf123456`)).toBe(
    "/v1/x/vk_[redacted] sk_[redacted] whsec_[redacted] re_[redacted]",
  );
  expect(redact("/v1/refunds/re_3NxYzAbCdEfGhIjK")).toBe("/v1/refunds/re_3NxYzAbCdEfGhIjK");
});

test.each([
  ["modal-billing/cus_1", "modal-billing"],
  ["tenant:agent:run", "tenant"],
  ["nightly", "nightly"],
])("the group of the label %s is %s", (label, group) => {
  expect(labelGroup(label)).toBe(group);
});
