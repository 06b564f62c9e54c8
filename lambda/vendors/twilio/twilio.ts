import { Problem } from "../../domain/problem.ts";
import type { Address, Vendor } from "../../domain/vendor.ts";
import { printable } from "../json-answer.ts";
import { isAbout, latePrices, PLACEHOLDER } from "./answers.ts";
import { CATALOG, PLACEHOLDERS } from "./catalog.ts";
import { manifest } from "./manifest.ts";
import { recipients } from "./numbers.ts";
import { rewriteLinks } from "./pages.ts";
import { soughtOf } from "./sought.ts";

/**
 * Twilio: where its calls go and which headers reach it. What its endpoints cost stands in catalog.ts and the files that it
 * is made of, the rest in manifest.ts.
 *
 * Sources, read 2026-11-22: twilio-node 6.2.0 and twilio-python 9.11.0; Twilio's OpenAPI files in @twilio/cli-core 8.3.2.
 */

/** Subdomains that the catalog knows, beside `api`. */
const HOSTS = ["verify", "lookups", "pricing", "messaging"];

const ORIGINS = {
  main: "https://api.twilio.com",
  ...Object.fromEntries(HOSTS.map((host) => [host, `https://${host}.twilio.com`])),
};

/** `AC…:token`, or `AC…:SK…:secret` with an API key: then the account stands in paths alone. */
const CREDENTIAL = /^(AC[0-9a-fA-F]{32}):(?:(SK[0-9a-fA-F]{32}):)?([\x21-\x39\x3b-\x7e]{1,200})$/;

function credentialOf(secret: string): { readonly account: string; readonly basic: string } | null {
  const [, account, apiKey, password] = CREDENTIAL.exec(secret.trim()) ?? [];
  return account === undefined ? null : { account, basic: `${apiKey ?? account}:${password}` };
}

/** The oldest API is named by its version alone, whether or not its host is written before it. */
const catalogPath = (path: string): string => path.replace(/^\/api(?=\/2010-04-01\/)/, "");

function address({ path }: { readonly path: string }, secret: string): Address | Problem {
  const [, first = "", accounts, name, ...rest] = path.split("/");
  if (HOSTS.includes(first)) return { host: first, path: path.slice(first.length + 1), standInPath: path };

  const account = credentialOf(secret)?.account ?? "";
  if (first !== "2010-04-01" || accounts !== "Accounts" || rest.length === 0)
    return new Problem(
      "endpoint_not_priced",
      `unknown path; expected /2010-04-01/Accounts/… or a path below ${HOSTS.map((host) => `/${host}`).join(", ")}`,
    );
  if (name === PLACEHOLDER || name === account) {
    const own = ["", first, accounts, account, ...rest].join("/");
    return { host: "main", path: own, standInPath: own };
  }
  return new Problem(
    "account_not_allowed",
    `the path names another account than the one of this vault key; use the placeholder SID ${PLACEHOLDER}, and Keybrake substitutes the real one`,
  );
}

export const twilio: Vendor = {
  ...manifest,
  origins: ORIGINS,
  authorize: (secret) => {
    const credential = credentialOf(secret);
    return credential === null
      ? null
      : { authorization: `Basic ${Buffer.from(credential.basic).toString("base64")}` };
  },
  authorizeQuery: null,
  keyIn: null,
  // The account SID is in every answer, and no secret.
  secretsOf: (secret) => {
    const { basic } = credentialOf(secret) ?? { basic: secret };
    return [basic, basic.slice(basic.indexOf(":") + 1)];
  },
  catalogPath,
  address,
  forwardedHeaders: ["accept", "accept-charset", "content-type", "user-agent", "x-twilio-client"],
  accountHeaders: [],
  idempotencyHeader: "idempotency-key",
  refuseHeaders: () => null,
  placeholders: PLACEHOLDERS,
  catalog: CATALOG,
  prefixes: ["/2010-04-01/Accounts/*", "/2010-04-01", ...HOSTS.map((host) => `/${host}`)],
  limits: ["allowed_recipients", "max_recipients"],
  accounts: null,
  recipients,
  isAbout,
  requestId: (headers) => printable(headers["twilio-request-id"]?.[0]),
  withheldHeaders: [],
  rewriteLinks,
  latePrices,
  soughtOf,
};
