import { expect, test } from "vitest";
import type { AuditFields } from "../../lambda/domain/audit-fields.ts";
import { UNCAPPED } from "../../lambda/domain/balance.ts";
import { microUsd, NOTHING } from "../../lambda/domain/money.ts";
import { vendorRegistry } from "../../lambda/vendors/index.ts";
import { type Decision, decisionLine, decisionOf } from "../../local/decision-line.ts";

const { secrets } = vendorRegistry();

const AT_MS = Date.UTC(2026, 10, 27, 23, 5, 9);
const FIELDS: AuditFields = {
  atMs: AT_MS,
  type: "call",
  keyId: "key_lfZWyPTEPuKBj0h6",
  parentIds: [],
  issuerId: "admin",
  vendor: "stripe",
  credential: "default",
  label: "modal-billing/cus_A",
  labelGroup: "modal-billing",
  metadata: {},
  method: "POST",
  path: "/v1/payment_intents",
};
const CAPS = { dailyCap: microUsd(50_000_000n), totalCap: UNCAPPED, perCallCap: microUsd(5_500_000n) };
const EXPIRES_AT_MS = AT_MS + 3_600_000;
const NO_TOTALS = { spent: NOTHING, allowed: 0, denied: 0, keys: [] };

const told = (event: Parameters<typeof decisionOf>[0]["event"], fields: Partial<AuditFields>) =>
  decisionOf({
    subject: "call_1",
    attemptId: "att_1",
    event,
    rank: 1,
    fields: { ...FIELDS, ...fields },
    totals: NO_TOTALS,
  });

test.each([
  [
    "settled",
    { cost: microUsd(29_990_000n), remaining: microUsd(20_010_000n) },
    "charged $29.99, left $20.01",
  ],
  ["settled", { cost: microUsd(900n), overrun: true }, "charged $0.0009 OVERRUN"],
  ["settled", { cost: NOTHING, replayed: true, remaining: NOTHING }, "charged $0.00 (a repeat), left $0.00"],
  ["late_price", { cost: microUsd(7_500n), remaining: null }, "late price: $0.0075"],
  [
    "released",
    { vendorStatus: 402, remaining: microUsd(1n) },
    "not charged, stripe answered 402, left $0.000001",
  ],
  ["released", { reason: "vendor_unreachable" }, "not charged, vendor_unreachable"],
  [
    "unresolved",
    { requested: microUsd(5_000_000n), reason: "vendor_timeout" },
    "UNRESOLVED, $5.00 held, vendor_timeout",
  ],
  [
    "denied",
    { reason: "spend_cap_exceeded", requested: microUsd(29_990_000n), remaining: microUsd(-5_000_000n) },
    "DENIED 429 spend_cap_exceeded, needs $29.99, left -$5.00",
  ],
  ["denied", { reason: "endpoint_not_allowed", requested: NOTHING }, "DENIED 403 endpoint_not_allowed"],
  ["denied", { reason: "a_code_of_tomorrow" }, "DENIED a_code_of_tomorrow"],
  ["free", {}, "free"],
  ["free", { wouldDeny: "rate_limited" }, "free, WOULD DENY rate_limited"],
  [
    "settled",
    { cost: microUsd(1_000_000n), remaining: NOTHING, wouldDeny: "spend_cap_exceeded" },
    "charged $1.00, left $0.00, WOULD DENY spend_cap_exceeded",
  ],
  [
    "key.issued",
    { type: "key.issued", ...CAPS, expiresAtMs: EXPIRES_AT_MS },
    "stripe, $50.00 a day, $5.50 a call, until 2026-11-28 00:05:09Z",
  ],
  [
    "key.changed",
    { type: "key.changed", ...CAPS, expiresAtMs: EXPIRES_AT_MS, by: "admin" },
    "$50.00 a day, $5.50 a call, until 2026-11-28 00:05:09Z, by admin",
  ],
  ["key.revoked", { type: "key.revoked", by: "key_lfZWyPTEPuKBj0h6" }, "by key_lfZWyPTEPuKBj0h6"],
] as const)("%s number %# is told in words", (event, fields, outcome) => {
  expect(told(event, fields)?.outcome).toBe(outcome);
});

test.each(["open", "reserved"] as const)("%s decides nothing yet", (event) => {
  expect(told(event, {})).toBeNull();
});

test("columns stand below each other, with a key's change and an unknown key too", () => {
  const decisions = [
    told("settled", { cost: microUsd(1_000_000n) }),
    told("key.issued", { type: "key.issued", ...CAPS }),
    told("free", {
      vendor: "twilio",
      method: "DELETE",
      path: `/2010-04-01/Accounts/AC${"0".repeat(32)}/Messages.json`,
      label: "x".repeat(256),
    }),
  ].filter((decision) => decision !== null);
  const withUnknownKey: Decision = {
    atMs: AT_MS,
    method: "GET",
    path: "/",
    keyId: null,
    label: null,
    outcome: "DENIED 401 key_unknown",
    tone: "refused",
  };

  expect([...decisions, withUnknownKey].map((decision) => decisionLine(decision, false, secrets))).toEqual([
    "23:05:09Z  POST    /stripe/v1/payment_intents          key_lfZWyPTEPuKBj0h6  modal-billing/cus_A   charged $1.00",
    "23:05:09Z  KEY     issued                              key_lfZWyPTEPuKBj0h6  modal-billing/cus_A   stripe, $50.00 a day, $5.50 a call",
    `23:05:09Z  DELETE  /twilio/2010-04-01/Accounts/AC…${"0".repeat(15)}/Messages.json  key_lfZWyPTEPuKBj0h6  ${"x".repeat(20)}…${"x".repeat(19)}  free`,
    "23:05:09Z  GET     /                                   -                     -                     DENIED 401 key_unknown",
  ]);
});

test("colours are on the outcome alone", () => {
  const line = (event: "settled" | "denied" | "free") => {
    const decision = told(event, { cost: microUsd(1_000_000n), reason: "key_expired" });
    return decision === null ? "" : decisionLine(decision, true, secrets);
  };

  const ends = [
    ["settled", "cus_A   \u001b[32mcharged $1.00\u001b[0m"],
    ["denied", "cus_A   \u001b[31mDENIED 401 key_expired\u001b[0m"],
    ["free", "cus_A   \u001b[2mfree\u001b[0m"],
  ] as const;
  for (const [event, end] of ends) expect(line(event).endsWith(end), event).toBe(true);
});

/** Guarantees that a caller neither draws on the terminal nor makes a line show a secret. */
test.each([
  ["path", "/v1/charges/sk_live_51H8abcdefghijklmnop", "51H8abcdefghijklmnop"],
  ["label", "run/kbvkAAAABBBBCCCCDDDD", "AAAABBBBCCCCDDDD"],
  ["method", "\u001b[2J", "\u001b"],
  ["path", "/v1/\u009b31m\u202e", "\u009b"],
  ["label", "a\r\nready http://evil.example", "\n"],
  ["label", "a\u2028b\u202eb", "\u202e"],
] as const)("%s %j shows nothing that it must not", (field, text, hidden) => {
  const decision = told("free", { [field]: text });

  const line = decision === null ? "" : decisionLine(decision, false, secrets);

  expect(line).not.toContain(hidden);
  expect(line).toMatch(/^23:05:09Z {2}\S+ +\/stripe.* {2}free$/);
});
