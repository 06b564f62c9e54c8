import { parseTerms, type TermsInput } from "../../lambda/terms.ts";
import { cut } from "../config.ts";
import type { VendorName } from "../routes.ts";
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
    stripe: read("STRIPE_SECRET_KEY"),
    twilio: parseTwilio(read("TWILIO_ACCOUNT_SID"), read("TWILIO_AUTH_TOKEN")),
    resend: read("RESEND_API_KEY"),
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
  };
}

function parsePort(text: string | undefined): number {
  if (text === undefined) return PORT_DEFAULT;
  const port = /^\d{1,5}$/.test(text) ? Number(text) : Number.NaN;
  if (port >= 0 && port <= 65_535) return port;
  throw new StartError(`PORT is ${cut(text)}; it takes a number from 0 to 65535, where 0 takes a free port`);
}

function parseApiKey(text: string | undefined): string | undefined {
  if (text === undefined || text.length >= API_KEY_LENGTH_MIN) return text;
  throw new StartError(
    `KEYBRAKE_API_KEY has ${text.length} characters; it takes ${API_KEY_LENGTH_MIN} or more, or unset it to get a new one`,
  );
}

function parseStage(text: string | undefined): string | undefined {
  if (text === undefined || /^[A-Za-z0-9_-]{1,128}$/.test(text)) return text;
  throw new StartError(
    `KEYBRAKE_STAGE is ${cut(text)}; it takes 1 to 128 letters, digits, hyphens and underscores`,
  );
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
    throw new StartError("TWILIO_ACCOUNT_SID is no account SID; it takes AC and 32 digits or letters a to f");
  return `${accountSid}:${authToken}`;
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
    `${name} is ${cut(text)}; it takes an origin without a path, such as http://127.0.0.1:12111`,
  );
}
