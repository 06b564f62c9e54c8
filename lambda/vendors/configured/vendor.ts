import { Problem } from "../../domain/problem.ts";
import { parseVaultKey } from "../../domain/vault-key.ts";
import type { Endpoint, FreeRule, Headers, PricedRule, Vendor } from "../../domain/vendor.ts";
import { ambiguous } from "../form.ts";
import { printable } from "../json-answer.ts";
import { readAnswer } from "./answers.ts";
import {
  type CredentialDefinition,
  credentialParameter,
  type Definition,
  type EndpointDefinition,
  windowMsOf,
} from "./definition.ts";
import { fixedSegments, narrowestFirst, placeholdersOf, segmentPattern } from "./endpoints.ts";
import { manifestOf } from "./manifest.ts";
import { quoteOf } from "./price.ts";
import { type RequestRules, readRequest } from "./request.ts";

/** Makes a `Vendor` of a checked definition: the same type, so the same ledger, audit log and tests. */
export function configuredVendor(definition: Definition): Vendor {
  const { origin, credential, idempotency, forwarded_headers, request_id_header } = definition;
  const idempotencyHeader = (idempotency?.header ?? "Idempotency-Key").toLowerCase();
  const own = forwarded_headers.map((header) => header.toLowerCase());
  const forwardedHeaders = [
    "accept",
    "content-type",
    "user-agent",
    ...(idempotency === undefined ? [] : [idempotencyHeader]),
    ...own,
  ];
  return {
    ...manifestOf(definition, acceptedOf(credential)),
    origins: { main: origin },
    authorize: (secret) => (isSecret(secret, credential) ? headersOf(secret, credential) : null),
    authorizeQuery: credential.send === "query" ? (secret) => ({ [credential.name]: secret }) : null,
    keyIn: keyInOf(credential),
    secretsOf: (secret) => secretsOf(secret, credential),
    catalogPath: (path) => path,
    address: ({ path }) => ({ host: "main", path, standInPath: path }),
    forwardedHeaders,
    // What an own header says is not known: with another one it may be another call.
    accountHeaders: own,
    idempotencyHeader,
    refuseHeaders: (headers) => refuseHeaders(headers, forwardedHeaders, idempotencyHeader),
    placeholders: placeholders(definition),
    catalog: catalogOf(definition),
    prefixes: [],
    limits: [],
    accounts: null,
    recipients: { accepted: "none", isEntry: () => false, allows: () => false },
    // Nothing is looked up there.
    isAbout: () => false,
    requestId: (headers) => printable(headers[request_id_header.toLowerCase()]?.[0]),
    withheldHeaders: SESSION_HEADERS,
    rewriteLinks: null,
    latePrices: null,
    soughtOf: () => null,
  };
}

function catalogOf(definition: Definition): readonly Endpoint[] {
  const { endpoints, idempotency } = definition;
  return narrowestFirst(Object.keys(endpoints)).flatMap((key) => {
    const endpoint = endpoints[key];
    const [method = "", path = ""] = key.split(" ");
    if (endpoint === undefined) return [];
    const rules = { endpoint, credentialParameter: credentialParameter(definition.credential) };
    const window = endpoint.idempotent === true && idempotency !== undefined ? windowMsOf(idempotency) : null;
    return [
      { method, path, rule: endpoint.price === "free" ? free(rules) : priced(endpoint, rules, window) },
    ];
  });
}

const free = (rules: RequestRules): FreeRule => ({
  kind: "free",
  check: (request) => {
    const read = readRequest(request, rules);
    return read instanceof Problem ? read : null;
  },
});

const priced = (endpoint: EndpointDefinition, rules: RequestRules, windowMs: number | null): PricedRule => ({
  kind: "priced",
  // A refusal is taken for no more than that, so it does not matter whether the API runs again what it refused.
  idempotency: windowMs === null ? null : { windowMs, rerunsFailures: true },
  quote: (request) => {
    const read = readRequest(request, rules);
    return read instanceof Problem ? read : quoteOf(endpoint.price, read);
  },
  read: (answer, quote) => readAnswer(endpoint, answer, quote),
});

function placeholders({ endpoints, placeholders: kinds }: Definition): Vendor["placeholders"] {
  const keys = Object.keys(endpoints);
  const fixed = fixedSegments(keys);
  return Object.fromEntries(
    keys.flatMap(placeholdersOf).map((name) => [name, segmentPattern(kinds[name] ?? "id", fixed)]),
  );
}

/** By these an API may begin a session, in which it would take calls without its credential and without a cap. */
const SESSION_HEADERS = ["authentication-info", "authorization", "set-cookie", "set-cookie2"];

const SECRET_LENGTH_MIN = 8;
const SECRET = /^[\x21-\x7e]{1,500}$/;

/** A shorter secret would be found in many an answer by chance. */
const isSecret = (secret: string, credential: CredentialDefinition): boolean =>
  SECRET.test(secret) && secretsOf(secret, credential).every(({ length }) => length >= SECRET_LENGTH_MIN);

function acceptedOf(credential: CredentialDefinition): string {
  const what = `a secret of ${SECRET_LENGTH_MIN} or more characters of ASCII without spaces`;
  return credential.send === "basic" && credential.user === undefined
    ? `user:password with ${what} as password, or such a secret alone, which is sent as user`
    : what;
}

function headersOf(secret: string, credential: CredentialDefinition): Readonly<Record<string, string>> {
  switch (credential.send) {
    case "bearer":
      return { authorization: `Bearer ${secret}` };
    case "basic":
      return { authorization: `Basic ${Buffer.from(pairOf(secret, credential.user)).toString("base64")}` };
    case "header":
      return { [credential.name.toLowerCase()]: `${credential.prefix ?? ""}${secret}` };
    case "query":
      return {};
  }
}

function keyInOf(credential: CredentialDefinition): Vendor["keyIn"] {
  if (credential.send === "header") {
    const { name, prefix = "" } = credential;
    return ({ headers, query }) => {
      const [value = null, ...others] = headers[name.toLowerCase()] ?? [];
      const isKey = value !== null && others.length === 0 && value.startsWith(prefix);
      return { token: isKey ? value.slice(prefix.length) : null, query };
    };
  }
  if (credential.send !== "query") return null;
  return ({ query }) => {
    if (!Object.hasOwn(query, credential.name)) return { token: null, query };
    const { [credential.name]: values = [], ...others } = query;
    const [token = null] = values;
    return values.length === 1 ? { token, query: others } : { token: null, query };
  };
}

const pairOf = (secret: string, user: string | undefined): string =>
  user !== undefined ? `${user}:${secret}` : secret.includes(":") ? secret : `${secret}:`;

function secretsOf(secret: string, credential: CredentialDefinition): readonly string[] {
  if (credential.send !== "basic" || credential.user !== undefined) return [secret];
  const [user = "", ...rest] = secret.split(":");
  const password = rest.join(":");
  return password === "" ? [user] : [password];
}

const isVaultKey = (text: string): boolean => parseVaultKey(text) !== null;

/** Of these the first one is forwarded. */
const DECIDES_NOTHING = ["accept", "user-agent"];

const IDEMPOTENCY_KEY_LENGTH_MAX = 255;

function refuseHeaders(
  headers: Headers,
  forwarded: readonly string[],
  idempotencyHeader: string,
): Problem | null {
  const twice = forwarded.find((name) => !DECIDES_NOTHING.includes(name) && (headers[name] ?? []).length > 1);
  if (twice !== undefined) return ambiguous(`the header ${twice} is repeated; send it once`);
  const withKey = forwarded.find((name) => (headers[name] ?? []).some(isVaultKey));
  if (withKey !== undefined)
    return ambiguous(`the header ${withKey} has a vault key, which would reach the vendor; leave it out`);
  const [key] = headers[idempotencyHeader] ?? [];
  if (key === undefined || !forwarded.includes(idempotencyHeader)) return null;
  return key.trim() === key && key !== "" && key.length <= IDEMPOTENCY_KEY_LENGTH_MAX
    ? null
    : new Problem(
        "ambiguous_request",
        `${idempotencyHeader}: expected one header of 1 to ${IDEMPOTENCY_KEY_LENGTH_MAX} characters, without spaces around it`,
      );
}
