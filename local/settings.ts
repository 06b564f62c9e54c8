import { readFileSync } from "node:fs";
import type { Secrets } from "../lambda/domain/secrets.ts";
import { readStrictJson } from "../lambda/domain/strict-json.ts";
import type { Vendor } from "../lambda/domain/vendor.ts";
import type { CredentialVariable, VendorManifest } from "../lambda/domain/vendor-manifest.ts";
import { parseRateCard, type RateCardInput } from "../lambda/rate-card-input.ts";
import { type Definition, parseDefinitions } from "../lambda/vendors/configured/definition.ts";
import { BUILT_IN_NAMES, vendorRegistry } from "../lambda/vendors/index.ts";
import { glimpse } from "../lib/config.ts";
import { StartError, systemReason } from "./start-error.ts";
import type { VendorTarget } from "./vendor-targets.ts";

const DEFINITION_RULES = { builtIn: BUILT_IN_NAMES, loopback: true };
const PORT_DEFAULT = 8787;
const API_KEY_LENGTH_MIN = 8;
const RESOLVE_AFTER_S_MAX = 86_400;

/** What `npm start` was told by its environment. */
export interface Settings {
  readonly port: number;
  /** The admin API key; undefined where one is to be made. */
  readonly apiKey: string | undefined;
  readonly dataFile: string | undefined;
  readonly stage: string | undefined;
  /** Vendors beside the built-in ones. */
  readonly definitions: readonly Definition[];
  /** Vendor -> where its calls go. */
  readonly vendors: Readonly<Record<string, VendorTarget>>;
  /** Rates and prices in place of the defaults. */
  readonly rateCard: RateCardInput;
  /** Seconds after which an attempt without outcome is told as open. */
  readonly resolveAfterS: number | undefined;
  /** Another DynamoDB in place of the bundled engine. */
  readonly dynamodbEndpoint: string | undefined;
  /** Names by which this machine is called beside its own, in lower case. */
  readonly hosts: readonly string[];
  /** Whether a line is printed for each decision. */
  readonly tellsDecisions: boolean;
}

/** The variables that hold credentials of these vendors: read once, and not passed on to what is started from here. */
export const credentialVariables = (vendors: readonly VendorManifest[]): readonly string[] =>
  vendors.flatMap(({ local }) => local.credential.map(({ name }) => name));

type Read = (name: string) => string | undefined;

/** Reads the settings; a variable that is set to nothing is unset. Throws a StartError that names the first wrong one. */
export function parseSettings(environment: Readonly<Record<string, string | undefined>>): Settings {
  const read: Read = (name) => environment[name] || undefined;
  const definitions = parseVendors(read("KEYBRAKE_VENDORS"));
  const { all, secrets } = vendorRegistry(definitions);
  const targets = all.map((vendor) => [vendor.name, parseTarget(vendor, read, secrets)] as const);
  return {
    port: parsePort(read("PORT")),
    apiKey: parseApiKey(read("KEYBRAKE_API_KEY"), secrets),
    dataFile: read("KEYBRAKE_DATA"),
    stage: parseStage(read("KEYBRAKE_STAGE")),
    definitions,
    vendors: Object.fromEntries(targets),
    rateCard: parseLocalRateCard(read("KEYBRAKE_TERMS"), all),
    resolveAfterS: parseResolveAfter(read("KEYBRAKE_RESOLVE_AFTER_S")),
    dynamodbEndpoint: parseDynamoDb(
      read("KEYBRAKE_DYNAMODB"),
      all.some(({ local }) => local.credential.some(({ name }) => read(name) !== undefined)),
    ),
    hosts: parseHosts(read("KEYBRAKE_HOSTS")),
    tellsDecisions: parseLog(read("KEYBRAKE_LOG")),
  };
}

/** Refuses every argument. Settings are variables, and an argument that is not read must not seem to be read. */
export function parseArguments(given: readonly string[]): void {
  if (given.length > 0)
    throw new StartError(
      `got ${given.length} arguments; expected none: set variables instead, such as PORT=0 or KEYBRAKE_LOG=off before the command`,
    );
}

function parsePort(text: string | undefined): number {
  if (text === undefined) return PORT_DEFAULT;
  const port = /^\d{1,5}$/.test(text) ? Number(text) : Number.NaN;
  if (port >= 0 && port <= 65_535) return port;
  throw new StartError(
    `PORT is ${glimpse(text)}; expected a number from 0 to 65535, where 0 takes a free port`,
  );
}

function parseResolveAfter(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const seconds = /^\d{1,5}$/.test(text) ? Number(text) : Number.NaN;
  if (seconds >= 1 && seconds <= RESOLVE_AFTER_S_MAX) return seconds;
  throw new StartError(
    `KEYBRAKE_RESOLVE_AFTER_S is ${glimpse(text)}; expected whole seconds from 1 to ${RESOLVE_AFTER_S_MAX}`,
  );
}

function parseApiKey(text: string | undefined, { secretIn, looksLike }: Secrets): string | undefined {
  if (text === undefined) return undefined;
  const refuse = (why: string): never => {
    throw new StartError(
      `KEYBRAKE_API_KEY ${why}; expected a secret of its own, at least ${API_KEY_LENGTH_MIN} ASCII characters without spaces; or unset it to get a new one`,
    );
  };
  if (NO_TOKEN.test(text)) refuse(UNUSABLE);
  if (text.length < API_KEY_LENGTH_MIN) refuse(`has ${text.length} characters`);
  if (secretIn(text.replace(/^kb_/, "")) !== null) refuse(`looks like ${looksLike(text)}`);
  return text;
}

/** What no header `Authorization` carries: a client would send another key than the one that stands here. */
const NO_TOKEN = /[^\x21-\x7e]/;
const UNUSABLE = "has a space, a line break or a character that is not ASCII";

/** Refuses what cannot be the credential that the variable is for. None of it is repeated: it may be a secret of another kind. */
function parsePart(
  { name, pattern, begins, accepted }: CredentialVariable,
  text: string,
  secrets: Secrets,
): string {
  const wrong = NO_TOKEN.test(text) ? UNUSABLE : pattern.test(text) ? null : lookOf(text, begins, secrets);
  if (wrong !== null) throw new StartError(`${name} ${wrong}; expected ${accepted}; or unset it`);
  return text;
}

function lookOf(text: string, begins: RegExp | null, { looksLike }: Secrets): string {
  if (begins?.test(text) === true) return "is cut short or mistyped";
  const look = looksLike(text);
  return look.startsWith("an unknown") ? "is not a key of this kind" : `looks like ${look}`;
}

/** The credential that the variables of a vendor make, or undefined where none of them is set. */
function parseCredential({ title, local }: VendorManifest, read: Read, secrets: Secrets): string | undefined {
  const names = local.credential.map(({ name }) => name);
  const missing = names.filter((name) => read(name) === undefined);
  if (missing.length === names.length) return undefined;
  if (missing.length > 0)
    throw new StartError(`${missing[0]} is not set; ${title} needs ${names.join(" and ")}, or none of them`);
  return local.credential
    .map((variable) => parsePart(variable, read(variable.name) ?? "", secrets))
    .join(":");
}

function parseStage(text: string | undefined): string | undefined {
  if (text === undefined || /^[A-Za-z0-9_-]{1,128}$/.test(text)) return text;
  throw new StartError(
    `KEYBRAKE_STAGE is ${glimpse(text)}; expected 1 to 128 letters, digits, hyphens and underscores`,
  );
}

/** A name of DNS or an address, as it stands in a header `Host`, without the port. */
const HOST = /^([a-z0-9_-]+(\.[a-z0-9_-]+)*|\[[0-9a-f:.]+\])$/;

/** Names are literal. A pattern would let in a web page whose own host name leads to this machine. */
function parseHosts(text: string | undefined): readonly string[] {
  const hosts = (text ?? "").split(",").map((host) => host.trim().toLowerCase());
  return hosts.filter((host) => {
    if (host === "" || HOST.test(host)) return host !== "";
    throw new StartError(
      `KEYBRAKE_HOSTS has ${glimpse(host)}; expected names without scheme, port or wildcard, separated by commas, such as host.docker.internal,keybrake`,
    );
  });
}

function parseLog(text: string | undefined): boolean {
  if (text === undefined || text === "on") return true;
  if (text === "off") return false;
  throw new StartError(`KEYBRAKE_LOG is ${glimpse(text)}; expected on (a line for each decision) or off`);
}

function parseLocalRateCard(text: string | undefined, vendors: readonly VendorManifest[]): RateCardInput {
  if (text === undefined) return {};
  try {
    return parseRateCard(JSON.parse(text), vendors);
  } catch (error) {
    const why =
      error instanceof SyntaxError || !(error instanceof Error) ? "is not JSON" : `has ${error.message}`;
    throw new StartError(
      `KEYBRAKE_TERMS ${why}; expected rates and prices such as ${rateCardExample(vendors)}`,
    );
  }
}

/** `isReal`: whether a vendor has a real credential. Then what the ledger says moves money, and must not be changed on its way. */
function parseDynamoDb(text: string | undefined, isReal: boolean): string | undefined {
  if (text === undefined) return undefined;
  const origin = parseOrigin("KEYBRAKE_DYNAMODB", text);
  if (isReal && crossesNetworkOpen(origin))
    throw new StartError(
      "KEYBRAKE_DYNAMODB is http; with a credential of a vendor, expected https, or http on this machine: the ledger must not cross a network unencrypted",
    );
  return origin;
}

function crossesNetworkOpen(origin: string): boolean {
  const { protocol, hostname } = new URL(origin);
  return protocol === "http:" && !/^(127\.0\.0\.1|localhost|\[::1\])$/.test(hostname);
}

const VENDORS_ACCEPTED =
  "expected a definition of a vendor or a list of them, as JSON or as the path of a file of JSON";

/** Text that begins as JSON does is JSON; any other is a path. Read strictly: an endpoint that stands there twice is refused. */
function parseVendors(text: string | undefined): readonly Definition[] {
  if (text === undefined) return [];
  const isJson = /^\s*[[{]/.test(text);
  const read = readStrictJson(isJson ? Buffer.from(text) : fileNamed(text));
  if ("refused" in read)
    throw new StartError(
      `KEYBRAKE_VENDORS ${read.refused}${read.field === null ? "" : ` (${read.field})`}; ${VENDORS_ACCEPTED}`,
    );
  const isList = Array.isArray(read.value);
  try {
    return parseDefinitions(isList ? read.value : [read.value], DEFINITION_RULES);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new StartError(`KEYBRAKE_VENDORS has ${isList ? why : why.replace(/^0\./, "")}`);
  }
}

function fileNamed(path: string): Uint8Array {
  try {
    return readFileSync(path);
  } catch (error) {
    throw new StartError(
      `KEYBRAKE_VENDORS is ${glimpse(path)}, which cannot be read: ${systemReason(error) ?? String(error)}; ${VENDORS_ACCEPTED}`,
    );
  }
}

/** A rate, and the first price that can be set. */
function rateCardExample(vendors: readonly VendorManifest[]): string {
  const [first] = vendors.flatMap(({ name, prices }) =>
    Object.entries(prices).map(([item, { default: usd }]) => ({ [name]: { [item]: { default: usd } } })),
  );
  return JSON.stringify({ rates: { eur: 1.09 }, prices: first ?? {} });
}

function parseTarget(vendor: Vendor, read: Read, secrets: Secrets): VendorTarget {
  const credential = parseCredential(vendor, read, secrets);
  const { origin: variable, placeholder } = vendor.local;
  const given = read(variable);
  if (given !== undefined) {
    const origin = parseOrigin(variable, given);
    if (credential !== undefined && crossesNetworkOpen(origin))
      throw new StartError(
        `${variable} is http; with a credential, expected https, or http on this machine: a credential must not cross a network unencrypted`,
      );
    return { kind: "upstream", origin, credential: credential ?? placeholder };
  }
  // Its definition names a server on this machine, which needs no real credential.
  const { main } = vendor.origins;
  if (main.startsWith("http:"))
    return { kind: "upstream", origin: main, credential: credential ?? placeholder };
  return credential === undefined ? { kind: "simulated" } : { kind: "real", credential };
}

function parseOrigin(name: string, text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const isHttp = url?.protocol === "http:" || url?.protocol === "https:";
  if (url !== undefined && isHttp && url.href === `${url.origin}/`) return url.origin;
  throw new StartError(
    `${name} is ${glimpse(text)}; expected an origin without a path, such as http://127.0.0.1:12111`,
  );
}
