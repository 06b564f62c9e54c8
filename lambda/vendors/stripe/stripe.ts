import { allowsAccount, type CallLimits } from "../../domain/call-limits.ts";
import { Problem } from "../../domain/problem.ts";
import type { Headers, Vendor } from "../../domain/vendor.ts";
import { printable } from "../json-answer.ts";
import { isAbout } from "./answers.ts";
import { CATALOG } from "./catalog.ts";
import { manifest } from "./manifest.ts";
import { soughtOf } from "./sought.ts";

/**
 * Stripe: where its calls go and which headers reach it. What its endpoints cost stands in catalog.ts and the files that it
 * is made of, the rest in manifest.ts.
 *
 * Spend is the money moved or committed. Sources, read 2026-11-22: the type declarations of stripe-node 23.1.0;
 * docs.stripe.com/api/idempotent_requests, /error-low-level and /currencies.
 */

/** Under older versions some parameters had other names: a customer's credit was `account_balance` until 2019-10-17. */
const VERSION_MIN = "2020-03-02";
const isKnownVersion = (version: string): boolean =>
  /^\d{4}-\d{2}-\d{2}(\.[a-z]+)?$/.test(version) && version >= VERSION_MIN && !version.endsWith(".preview");

const ACCOUNT_HEADERS = ["stripe-account", "stripe-context"];

function refuseHeaders(headers: Headers, limits: CallLimits): Problem | null {
  const named = ACCOUNT_HEADERS.flatMap((name) =>
    (headers[name] ?? []).map((account) => ({ name, account })),
  );
  for (const { name, account } of named) {
    if (named.length > 1 || !ACCOUNT.test(account) || !allowsAccount(limits, account))
      return new Problem(
        "account_not_allowed",
        `the header ${name} acts on another account, which this vault key does not allow; leave it out, or issue a key with that account in allowed_accounts`,
      );
  }
  const versions = headers["stripe-version"] ?? [];
  if (versions.length > 1 || versions.some((version) => !isKnownVersion(version))) {
    return new Problem(
      "ambiguous_request",
      `Stripe-Version: expected one released version from ${VERSION_MIN} on; in other versions a parameter may mean something else`,
    );
  }
  const keys = headers["idempotency-key"] ?? [];
  if (keys.length > 1 || keys.some((key) => key.trim() === "" || key.length > 255)) {
    return new Problem("ambiguous_request", "Idempotency-Key: expected one header of 1 to 255 characters");
  }
  return null;
}

const ACCOUNT = /^(acct|org)_[A-Za-z0-9]{1,64}(\/acct_[A-Za-z0-9]{1,64})?$/;
const RECIPIENT = /^(cus|acct)_[A-Za-z0-9]{1,64}$/;

export const stripe: Vendor = {
  ...manifest,
  origins: { main: "https://api.stripe.com", files: "https://files.stripe.com" },
  authorize: (secret) => (/^[\x21-\x7e]+$/.test(secret) ? { authorization: `Bearer ${secret}` } : null),
  authorizeQuery: null,
  keyIn: null,
  secretsOf: (secret) => [secret],
  catalogPath: (path) => path,
  // Files are read where everything else is (stripe-node 23.1.0, Files.js, read 2026-11-23).
  address: ({ method, path }) => ({
    host: method === "POST" && path === "/v1/files" ? "files" : "main",
    path,
    standInPath: path,
  }),
  forwardedHeaders: [
    "accept",
    "content-type",
    "idempotency-key",
    "stripe-account",
    "stripe-context",
    "stripe-version",
    "user-agent",
    "x-stripe-client-telemetry",
    "x-stripe-client-user-agent",
  ],
  accountHeaders: ACCOUNT_HEADERS,
  idempotencyHeader: "idempotency-key",
  refuseHeaders,
  // A kind, an underscore and the rest: so no word of a path is taken for an id, and none is too long for a table.
  placeholders: {
    id: /^[A-Za-z]+_[A-Za-z0-9_]{1,200}$/,
    // A chosen name may be any word except `search`, which is a path of its own.
    own: /^(?!search$)[A-Za-z0-9][A-Za-z0-9 _.:@+,=$&!'()~-]{0,199}$/,
    // Such a name too, if it has a character that no word of a path has.
    customer:
      /^(?:[A-Za-z]+_[A-Za-z0-9_]{1,200}|(?=.*[^a-z_])[A-Za-z0-9][A-Za-z0-9 _.:@+,=$&!'()~-]{0,199})$/,
  },
  catalog: CATALOG,
  prefixes: ["/v1"],
  limits: ["allowed_accounts", "allowed_currencies", "allowed_recipients"],
  accounts: {
    accepted: "ids of accounts such as acct_1032D82eZvKYlo2C",
    isEntry: (entry) => ACCOUNT.test(entry),
  },
  recipients: {
    accepted: "ids of customers, such as cus_NffrFeUfNV2Hib, or of accounts that receive transfers",
    isEntry: (entry) => RECIPIENT.test(entry),
    allows: (entry, recipient) => entry === recipient,
  },
  isAbout,
  requestId: (headers) => printable(headers["request-id"]?.[0]),
  withheldHeaders: [],
  rewriteLinks: null,
  latePrices: null,
  soughtOf,
};
