import { describe, expect, test } from "vitest";
import { UNCAPPED } from "../../lambda/domain/balance.ts";
import { type Asked, type Ceiling, givenUnder } from "../../lambda/domain/ceiling.ts";
import { fromUsdCents } from "../../lambda/domain/money.ts";
import { UNLIMITED } from "../support/unlimited.ts";

/** Guarantees that no key is wider than its issuer, and that what is left out is cut to what the issuer may give. */

const usd = (dollars: bigint) => fromUsdCents(dollars * 100n);
const NOW_MS = 1_000_000;
const HOUR_MS = 3_600_000;

const asked = (change: Partial<Asked> = {}): Asked => ({
  vendor: "stripe",
  credential: "default",
  caps: {},
  endpoints: null,
  limits: UNLIMITED,
  expiresAtMs: null,
  expiresByDefaultMs: NOW_MS + HOUR_MS,
  ...change,
});

const ceiling = (change: Partial<Ceiling> = {}): Ceiling => ({
  issuer: "vault key key_1",
  vendors: ["stripe"],
  credentials: ["default"],
  endpoints: null,
  limits: UNLIMITED,
  caps: { daily: UNCAPPED, total: UNCAPPED, perCall: UNCAPPED },
  expiresAtMs: NOW_MS + 2 * HOUR_MS,
  ...change,
});

const startsWith = (wide: string, narrow: string) => narrow.startsWith(wide);
const caps = (daily: bigint | null, total: bigint | null, perCall: bigint | null) => ({
  daily: daily === null ? UNCAPPED : usd(daily),
  total: total === null ? UNCAPPED : usd(total),
  perCall: perCall === null ? UNCAPPED : usd(perCall),
});

describe("what is wider is refused by the name of its field", () => {
  test.each<[field: string, Partial<Asked>, Partial<Ceiling>]>([
    ["vendor", { vendor: "twilio" }, {}],
    ["credential", { credential: "live" }, {}],
    ["daily_usd_cap", { caps: { daily: usd(51n) } }, { caps: caps(50n, null, null) }],
    ["daily_usd_cap", { caps: { daily: usd(151n) } }, { caps: caps(null, 150n, null) }],
    ["daily_usd_cap", { caps: { daily: usd(31n) } }, { caps: caps(50n, 30n, null) }],
    ["daily_usd_cap", { caps: { daily: UNCAPPED } }, { caps: caps(50n, null, null) }],
    ["total_usd_cap", { caps: { daily: usd(1n), total: usd(151n) } }, { caps: caps(null, 150n, null) }],
    ["per_call_usd_cap", { caps: { perCall: usd(6n) } }, { caps: caps(50n, null, 5n) }],
    ["allowed_endpoints.1", { endpoints: ["GET /v1/a", "POST /v1/a"] }, { endpoints: ["GET /v1/**"] }],
    ["allowed_endpoints.0", { endpoints: ["GET /v1/**"] }, { endpoints: ["GET /v1/*"] }],
    ["allowed_accounts", { limits: { ...UNLIMITED, accounts: ["acct_1"] } }, {}],
    [
      "allowed_currencies",
      { limits: { ...UNLIMITED, currencies: ["usd", "eur"] } },
      { limits: { ...UNLIMITED, currencies: ["usd"] } },
    ],
    [
      "allowed_recipients",
      { limits: { ...UNLIMITED, recipients: ["+49"] } },
      { limits: { ...UNLIMITED, recipients: ["+1", "+44"] } },
    ],
    [
      "max_recipients",
      { limits: { ...UNLIMITED, maxRecipients: 6 } },
      { limits: { ...UNLIMITED, maxRecipients: 5 } },
    ],
    ["expires_in", { expiresAtMs: NOW_MS + 2 * HOUR_MS + 1 }, {}],
  ])("%s", (field, wanted, above) => {
    expect(givenUnder(ceiling(above), asked(wanted), startsWith)).toMatchObject({ wider: { field } });
  });
});

describe("what is not wider is given as it is asked for", () => {
  test.each<[what: string, Partial<Asked>, Partial<Ceiling>]>([
    ["the same caps", { caps: caps(50n, 150n, 5n) }, { caps: caps(50n, 150n, 5n) }],
    ["narrower caps", { caps: caps(1n, 2n, 1n) }, { caps: caps(50n, 150n, 5n) }],
    ["endpoints inside", { endpoints: ["GET /v1/a/b"] }, { endpoints: ["POST /v1/x", "GET /v1/**"] }],
    [
      "limits inside",
      { limits: { accounts: ["acct_1"], currencies: ["usd"], recipients: ["+4479"], maxRecipients: 5 } },
      {
        limits: {
          accounts: ["acct_1", "acct_2"],
          currencies: ["eur", "usd"],
          recipients: ["+44"],
          maxRecipients: 5,
        },
      },
    ],
    ["the same end", { expiresAtMs: NOW_MS + 2 * HOUR_MS }, {}],
  ])("%s", (_, wanted, above) => {
    const given = givenUnder(ceiling(above), asked(wanted), startsWith);
    const { caps: askedCaps, limits, endpoints } = asked(wanted);
    expect(given).toMatchObject({
      caps: askedCaps,
      limits: wanted.limits === undefined ? {} : limits,
      endpoints,
      ...(wanted.expiresAtMs === undefined ? {} : { expiresAtMs: wanted.expiresAtMs }),
    });
  });
});

test("what is left out is cut to the issuer's", () => {
  const limits = { accounts: ["acct_1"], currencies: ["usd"], recipients: ["+1"], maxRecipients: 3 };
  const above = ceiling({
    caps: caps(50n, 150n, 5n),
    endpoints: ["GET /v1/**"],
    limits,
    expiresAtMs: NOW_MS + 60_000,
  });
  expect(givenUnder(above, asked(), startsWith)).toEqual({
    caps: caps(50n, 150n, 5n),
    endpoints: ["GET /v1/**"],
    limits,
    expiresAtMs: NOW_MS + 60_000,
  });
});

test("the usual expiry stays where the issuer lasts longer", () => {
  expect(givenUnder(ceiling(), asked(), startsWith)).toMatchObject({ expiresAtMs: NOW_MS + HOUR_MS });
});

test("without a ceiling nothing is refused and nothing is cut", () => {
  expect(givenUnder(null, asked({ caps: { daily: usd(9n) } }), startsWith)).toEqual({
    caps: caps(9n, null, null),
    endpoints: null,
    limits: UNLIMITED,
    expiresAtMs: NOW_MS + HOUR_MS,
  });
});
