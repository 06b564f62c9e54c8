import { describe, expect, test } from "vitest";
import { makeVaultKey } from "../../lambda/domain/vault-key.ts";
import { vendorRegistry } from "../../lambda/vendors/index.ts";

/** Guarantees that secrets are recognised by their kind, and removed from text. */

const { looksLike, redact, secretIn } = vendorRegistry().secrets;

const { token } = makeVaultKey("Ab1Cd2Ef3Gh4Ij5K", "0123456789abcdefghijABCDEFGHIJ01");
const HEX = "0123456789abcdef0123456789abcdef";
const base64 = (text: string) => Buffer.from(text).toString("base64");

test.each([
  [token, "a vault key, which calls"],
  [token.slice(0, -3), "vault key that is mistyped"],
  ["vk_short", "vault key that is mistyped"],
  ["kb_abc", "API key of Keybrake"],
  ["sk_live_abc", "secret key of Stripe"],
  ["rk_test_abc", "secret key of Stripe"],
  ["sk_org_live_abc", "organization at Stripe"],
  ["ek_test_abc", "ephemeral key of Stripe"],
  ["pk_live_abc", "publishable key of Stripe"],
  ["whsec_abc", "signing secret of a webhook"],
  ["pi_3Nabcd_secret_0123456789", "client secret of Stripe"],
  ["re_123", "Resend"],
  [`AC${HEX}`, "SID of Twilio"],
  [`AC${HEX}:${HEX}`, "credential of Twilio"],
  [HEX, "auth token of Twilio"],
  ["hello", "an unknown kind of key"],
])("%s is told by its kind, and never repeated", (sent, kind) => {
  expect(looksLike(sent)).toContain(kind);
  expect(looksLike(sent)).not.toContain(sent);
});

/** Each with what is left of it. */
const SECRETS: readonly (readonly [secret: string, left: string])[] = [
  [token, "kbvk[redacted]"],
  [`vk_${token.slice(4)}`, "vk_[redacted]"],
  ["kb_Abcdefgh12345678", "kb_[redacted]"],
  ["sk_live_51Habc", "sk_[redacted]"],
  ["sk_test_51Habc", "sk_[redacted]"],
  ["rk_live_51Habc", "rk_[redacted]"],
  ["sk_org_live_51Habc", "sk_[redacted]"],
  ["sk_org_test_51Habc", "sk_[redacted]"],
  ["rk_org_live_51Habc", "rk_[redacted]"],
  ["ek_live_51Habc", "ek_[redacted]"],
  ["SK_LIVE_51HABC", "SK_[redacted]"],
  ["whsec_abc+/=", "whsec_[redacted]"],
  ["pi_3Nabcd_secret_0123456789", "pi_[redacted]"],
  ["pi_AbCdEfGhIjKlMnOp_secret_AbCdEfGh", "pi_[redacted]"],
  ["src_client_secret_AbCdEfGhIjKlMnOpQrSt", "src_[redacted]"],
  ["uk_live_AbCdEfGh12345678", "uk_[redacted]"],
  ["kb_AbCdEfGhIjKlMnOpQrStUvWx", "kb_[redacted]"],
  ["re_AbCdEf12_AbCdEf1234567890AbCdEf12", "re_[redacted]"],
  [`AC${HEX}:secret`, "AC[redacted]"],
  [`SK${HEX}:secret`, "SK[redacted]"],
  [`SK${HEX}`, "SK[redacted]"],
  [`auth_token=${HEX}`, "auth_[redacted]"],
  ["Bearer Abcdefgh12345678", "Bearer [redacted]"],
  [`Basic ${base64("anybody:password")}`, "Basic [redacted]"],
];

describe("a secret in a text that is written down", () => {
  test.each(SECRETS)("%s is taken out", (secret, left) => {
    expect(redact(`run ${secret} of today`)).toBe(`run ${left} of today`);
    expect(secretIn(`run ${secret}`)).not.toBeNull();
  });

  const spellings: readonly (readonly [name: string, spell: (text: string) => string])[] = [
    ["percent-encoded", (text) => text.replaceAll("_", "%5F").replaceAll("k", "%6b")],
    ["percent-encoded twice", (text) => text.replaceAll("_", "%255F").replaceAll("k", "%256b")],
    ["escaped as in JSON", (text) => text.replaceAll("k", "\\u006b").replaceAll("_", "\\u005F")],
    ["escaped as in HTML", (text) => text.replaceAll("k", "&#107;").replaceAll("_", "&#x5f;")],
    ["in base64", base64],
    ["in base64, as a user of Basic", (text) => base64(`${text}:`)],
    ["in base64, as a password of Basic", (text) => base64(`AC${HEX}:${text}`)],
    ["in base64 behind one byte", (text) => base64(`x${text}`)],
    ["in base64 behind two bytes", (text) => base64(`xy${text}`)],
    ["in the base64 of URLs", (text) => Buffer.from(`\u00ff\u00fe${text}`, "latin1").toString("base64url")],
    ["in base64 that is percent-encoded", (text) => encodeURIComponent(base64(text))],
    ["in hexadecimal", (text) => Buffer.from(text).toString("hex")],
    ["in hexadecimal behind one digit", (text) => `0${Buffer.from(text).toString("hex").toUpperCase()}`],
    ["in capitals", (text) => text.toUpperCase()],
    ["between other signs", (text) => `x_${text}`],
    ["right behind a word", (text) => `key${text}`],
  ];
  const shown = ["sk_live_51HabcDEF0123456", "sk_org_live_51HabcDEF0123456", "whsec_abcdef0123456789", token];
  test.each(spellings)("is found %s", (_, spell) => {
    for (const secret of shown) {
      const text = `/v1/x/${spell(secret)}`;
      expect(secretIn(text), text).not.toBeNull();
      expect(redact(text), text).toContain("[redacted]");
      expect(redact(text), text).not.toContain(spell(secret).slice(8, -4));
    }
  });

  test("leaves the text around several of them", () => {
    expect(redact("a sk_live_1 b re_AbCdEf12_AbCdEf123456 c%20sk%5Flive%5F2&d")).toBe(
      "a sk_[redacted] b re_[redacted] c%20sk_[redacted]&d",
    );
  });

  test.each([
    "/v1/refunds/re_3NxYzAbCdEfGhIjK",
    "pk_live_51Habc",
    "metaflow/re_process_all_invoices",
    "are_production_environments1",
    "basic plan: customers of 2026",
    "bearer of bad news",
    "task_live_stream, disk_test_1 and ask_test_2",
    "billing/uk_live_orders",
    "sync_kb_documents",
    "nightly/vk_integration",
    "rotate_stripe_secret_quarterly",
    "oauth_client_secret_rotation",
    `trace ${HEX}`,
    `AC${HEX}`,
    "Stripe/v1 NodeBindings/23.1.0 (linux; x64) node/v24.0.0",
    "twilio-python/9.11.0 (Linux x86_64) Python/3.13.1",
    "/2010-04-01/Accounts/ACxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx/Messages.json",
    "100% of%20them%zz",
    "",
  ])("%s is left as it is", (text) => {
    expect(redact(text)).toBe(text);
    expect(secretIn(text)).toBeNull();
  });

  test("is found by its letters where it has no shape of its own", () => {
    expect(secretIn("label of my own (secret)+", ["own (secret)+"])).toContain("API key of Keybrake");
    expect(secretIn(`label ${base64("my own secret")}`, ["own secret"])).toContain("API key of Keybrake");
    expect(secretIn("label", ["own (secret)+"])).toBeNull();
  });
});
