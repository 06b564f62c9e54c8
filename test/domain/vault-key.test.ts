import { describe, expect, test } from "vitest";
import { isSecretOf } from "../../lambda/domain/token.ts";
import { labelGroup, makeVaultKey, parseVaultKey } from "../../lambda/domain/vault-key.ts";

/** Guarantees that a vault key is recognised, and that a typing error is noticed. */

const ID = "Ab1Cd2Ef3Gh4Ij5K";
const SECRET = "0123456789abcdefghijABCDEFGHIJ01";

describe("a vault key", () => {
  test("is taken apart into its id and its secret", () => {
    const { keyId, token, secretHash } = makeVaultKey(ID, SECRET);

    expect(keyId).toBe(`key_${ID}`);
    expect(token).toMatch(/^kbvk[A-Za-z0-9]{54}$/);
    expect(parseVaultKey(token)).toEqual({ keyId, secret: SECRET });
    expect(secretHash).not.toContain(SECRET);
    expect(isSecretOf(SECRET, secretHash)).toBe(true);
    expect(isSecretOf(`${SECRET.slice(0, -1)}2`, secretHash)).toBe(false);
  });

  test("that was issued with the old prefix stays valid", () => {
    expect(parseVaultKey("vk_lfZWyPTEPuKBj0h6GtRZyeyVO6Nzo468ll2fbf4VfNXOkltXkv10gz")).toEqual({
      keyId: "key_lfZWyPTEPuKBj0h6",
      secret: "GtRZyeyVO6Nzo468ll2fbf4VfNXOkltX",
    });
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
  ["modal-billing/cus_1", "modal-billing"],
  ["tenant:agent:run", "tenant"],
  ["nightly", "nightly"],
])("the group of the label %s is %s", (label, group) => {
  expect(labelGroup(label)).toBe(group);
});
