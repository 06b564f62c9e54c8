import { expect, test } from "vitest";
import { addressGroup, adminProof, isProofOf } from "../../lambda/domain/login.ts";

test.each([
  ["192.0.2.1", "192.0.2.1"],
  ["2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"],
  ["2001:DB8:0001:0002::", "2001:db8:1:2::/64"],
  ["2001:db8::5:6", "2001:db8:0:0::/64"],
  ["2001:db8:1::2:3:4:5", "2001:db8:1:0::/64"],
  ["::1", "0:0:0:0::/64"],
  ["::", "0:0:0:0::/64"],
  ["fe80::1", "fe80:0:0:0::/64"],
  ["x".repeat(500), "x".repeat(45)],
])("%s shares a bound with %s", (address, group) => {
  expect(addressGroup(address)).toBe(group);
});

test.each([
  ["secret", "key", true],
  ["secret", "kez", false],
  ["secreu", "key", false],
  ["secret:k", "ey", false],
])("a proof of secret and key is not one of %s and %s, unless they are the same: %s", (secret, key, is) => {
  expect(isProofOf(adminProof("secret", "key"), secret, key)).toBe(is);
});

test.each(["", "00"])("%j is no proof", (proof) => {
  expect(isProofOf(proof, "secret", "key")).toBe(false);
});
