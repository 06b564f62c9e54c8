import { looksLike, secretIn } from "../lambda/domain/secrets.ts";
import { parseTerms, type TermsInput } from "../lambda/terms.ts";
import { glimpse } from "../lib/config.ts";
import type { VendorName } from "../lib/routes.ts";
import { StartError } from "./start-error.ts";
import { LOCAL_VENDORS, type VendorTarget } from "./vendor-targets.ts";

const PORT_DEFAULT = 8787;
const API_KEY_LENGTH_MIN = 8;

/** What `npm start` was told by its environment. */
export interface Settings {
  readonly port: number;
  /** The admin API key; undefined where one is to be made. */
  readonly apiKey: string | undefined;
  readonly dataFile: string | undefined;
  readonly stage: string | undefined;
  readonly vendors: Readonly<Record<VendorName, VendorTarget>>;
  /** Rates and prices in place of the defaults. */
  readonly terms: TermsInput;
  /** An engine of the user's, for platforms without ours. */
  readonly dynamodbEndpoint: string | undefined;
  /** Names by which this machine is called beside its own, in lower case. */
  readonly hosts: readonly string[];
  /** Whether a line is printed for each decision. */
  readonly tellsDecisions: boolean;
}

/** The variables that hold vendors' credentials: read once, and not passed on to what is started from here. */
export const CREDENTIAL_VARIABLES = [
  "STRIPE_SECRET_KEY",
  "TWILIO_ACCOUNT_SID",
  "TWILIO_AUTH_TOKEN",
  "RESEND_API_KEY",
];

/** Reads the settings; a variable that is set to nothing is unset. Throws a StartError that names the first wrong one. */
export function parseSettings(environment: Readonly<Record<string, string | undefined>>): Settings {
  const read = (name: string) => environment[name] || undefined;
  const credentials: Readonly<Record<VendorName, string | undefined>> = {
    stripe: parseCredential("STRIPE_SECRET_KEY", read("STRIPE_SECRET_KEY"), STRIPE_KEY),
    twilio: parseTwilio(read("TWILIO_ACCOUNT_SID"), read("TWILIO_AUTH_TOKEN")),
    resend: parseCredential("RESEND_API_KEY", read("RESEND_API_KEY"), RESEND_KEY),
  };
  const targetOf = (name: VendorName) =>
    parseTarget(name, credentials[name], read(`KEYBRAKE_${name.toUpperCase()}_ORIGIN`));
  return {
    port: parsePort(read("PORT")),
    apiKey: parseApiKey(read("KEYBRAKE_API_KEY")),
    dataFile: read("KEYBRAKE_DATA"),
    stage: parseStage(read("KEYBRAKE_STAGE")),
    vendors: { stripe: targetOf("stripe"), twilio: targetOf("twilio"), resend: targetOf("resend") },
    terms: parseLocalTerms(read("KEYBRAKE_TERMS")),
    dynamodbEndpoint: read("AWS_ENDPOINT_URL_DYNAMODB"),
    hosts: parseHosts(read("KEYBRAKE_HOSTS")),
    tellsDecisions: parseLog(read("KEYBRAKE_LOG")),
  };
}

/** Refuses any argument: everything is told by variables, and one that is not read must not seem to be. */
export function parseArguments(given: readonly string[]): void {
  if (given.length > 0)
    throw new StartError(
      `it takes no arguments, got ${given.length}; variables say everything, such as PORT=0 or KEYBRAKE_LOG=off before the command`,
    );
}

function parsePort(text: string | undefined): number {
  if (text === undefined) return PORT_DEFAULT;
  const port = /^\d{1,5}$/.test(text) ? Number(text) : Number.NaN;
  if (port >= 0 && port <= 65_535) return port;
  throw new StartError(
    `PORT is ${glimpse(text)}; it takes a number from 0 to 65535, where 0 takes a free port`,
  );
}

function parseApiKey(text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  const refuse = (why: string): never => {
    throw new StartError(
      `KEYBRAKE_API_KEY ${why}; it takes a secret of its own, of ${API_KEY_LENGTH_MIN} or more characters of ASCII without spaces, or unset it to get a new one`,
    );
  };
  if (NO_TOKEN.test(text)) refuse(UNUSABLE);
  if (text.length < API_KEY_LENGTH_MIN) refuse(`has ${text.length} characters`);
  if (secretIn(text.replace(/^kb_/, "")) !== null) refuse(`looks like ${looksLike(text)}`);
  return text;
}

/** What no header `Authorization` carries: a client would send another key than the one that stands here. */
const NO_TOKEN = /[^\x21-\x7e]/;
const UNUSABLE = "has a space, a line break or a character that is not of ASCII";

interface Shape {
  readonly pattern: RegExp;
  /** How one begins. */
  readonly prefix: RegExp;
  readonly accepted: string;
}

/** docs.stripe.com/keys and resend.com/docs/api-reference/introduction, read 2026-11-27. */
const STRIPE_KEY: Shape = {
  pattern: /^[sr]k_(org_)?(live|test)_\w+$/,
  prefix: /^[sr]k_(org_)?(live|test)_/,
  accepted: "a secret or restricted key of Stripe, such as sk_test_… or rk_live_…",
};
const RESEND_KEY: Shape = { pattern: /^re_\w+$/, prefix: /^re_/, accepted: "an API key of Resend, re_…" };
const TWILIO_TOKEN: Shape = {
  pattern: /^(?!SK[0-9a-f]{32}$|[a-z]{2}_|kbvk)(SK[0-9a-f]{32}:)?[^:]{1,200}$/i,
  prefix: /^(?!)/,
  accepted: "the auth token, or SK…:secret of an API key",
};

/** Refuses what cannot be the credential that the variable is for. None of it is repeated: it may be a secret of another kind. */
function parseCredential(name: string, text: string | undefined, { pattern, prefix, accepted }: Shape) {
  if (text === undefined) return undefined;
  const wrong = NO_TOKEN.test(text) ? UNUSABLE : pattern.test(text) ? null : lookOf(text, prefix);
  if (wrong !== null) throw new StartError(`${name} ${wrong}; it takes ${accepted}, or unset it`);
  return text;
}

function lookOf(text: string, prefix: RegExp): string {
  if (prefix.test(text)) return "is cut short or mistyped";
  const look = looksLike(text);
  return look.startsWith("no kind") ? "is no key of this kind" : `looks like ${look}`;
}

function parseStage(text: string | undefined): string | undefined {
  if (text === undefined || /^[A-Za-z0-9_-]{1,128}$/.test(text)) return text;
  throw new StartError(
    `KEYBRAKE_STAGE is ${glimpse(text)}; it takes 1 to 128 letters, digits, hyphens and underscores`,
  );
}

/** A name of DNS or an address, as it stands in a header `Host`, without the port. */
const HOST = /^([a-z0-9_-]+(\.[a-z0-9_-]+)*|\[[0-9a-f:.]+\])$/;

/** Names are taken as they are: a pattern would let in a page that makes a name of its own lead here. */
function parseHosts(text: string | undefined): readonly string[] {
  const hosts = (text ?? "").split(",").map((host) => host.trim().toLowerCase());
  return hosts.filter((host) => {
    if (host === "" || HOST.test(host)) return host !== "";
    throw new StartError(
      `KEYBRAKE_HOSTS has ${glimpse(host)}; it takes names without scheme, port and wildcard, with commas between them, such as host.docker.internal,keybrake`,
    );
  });
}

function parseLog(text: string | undefined): boolean {
  if (text === undefined || text === "on") return true;
  if (text === "off") return false;
  throw new StartError(`KEYBRAKE_LOG is ${glimpse(text)}; it takes on, a line for each decision, or off`);
}

const TERMS_EXAMPLE = '{"rates": {"eur": 1.09}, "prices": {"twilio": {"sms": {"+44": 0.05}}}}';

function parseLocalTerms(text: string | undefined): TermsInput {
  if (text === undefined) return {};
  try {
    return parseTerms(JSON.parse(text));
  } catch (error) {
    const why =
      error instanceof SyntaxError || !(error instanceof Error) ? "is no JSON" : `has ${error.message}`;
    throw new StartError(`KEYBRAKE_TERMS ${why}; it takes rates and prices such as ${TERMS_EXAMPLE}`);
  }
}

function parseTwilio(accountSid: string | undefined, authToken: string | undefined): string | undefined {
  if (accountSid === undefined && authToken === undefined) return undefined;
  if (accountSid === undefined || authToken === undefined)
    throw new StartError(
      `${accountSid === undefined ? "TWILIO_ACCOUNT_SID" : "TWILIO_AUTH_TOKEN"} is not set; Twilio needs both, or neither to be simulated`,
    );
  if (!/^AC[0-9a-f]{32}$/i.test(accountSid))
    throw new StartError(
      "TWILIO_ACCOUNT_SID is no account SID; it takes AC and 32 digits or letters a to f (SK… goes before its secret in TWILIO_AUTH_TOKEN)",
    );
  return `${accountSid}:${parseCredential("TWILIO_AUTH_TOKEN", authToken, TWILIO_TOKEN)}`;
}

function parseTarget(
  name: VendorName,
  credential: string | undefined,
  origin: string | undefined,
): VendorTarget {
  if (origin !== undefined) {
    const variable = `KEYBRAKE_${name.toUpperCase()}_ORIGIN`;
    const { protocol, hostname } = new URL(parseOrigin(variable, origin));
    if (
      credential !== undefined &&
      protocol === "http:" &&
      !/^(127\.0\.0\.1|localhost|\[::1\])$/.test(hostname)
    )
      throw new StartError(
        `${variable} is http; with a credential it takes https, or http on this machine: a credential must not cross a network unencrypted`,
      );
    return {
      kind: "upstream",
      origin: parseOrigin(variable, origin),
      credential: credential ?? LOCAL_VENDORS[name].placeholder,
    };
  }
  return credential === undefined ? { kind: "simulated" } : { kind: "real", credential };
}

function parseOrigin(name: string, text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const isHttp = url?.protocol === "http:" || url?.protocol === "https:";
  if (url !== undefined && isHttp && url.href === `${url.origin}/`) return url.origin;
  throw new StartError(
    `${name} is ${glimpse(text)}; it takes an origin without a path, such as http://127.0.0.1:12111`,
  );
}
