import { StartError } from "./start-error.ts";

const PORT_DEFAULT = 8787;
const API_KEY_LENGTH_MIN = 8;

/** Where calls to Stripe go. */
export type StripeTarget =
  | { readonly kind: "simulated"; readonly latencyMs?: number }
  | { readonly kind: "upstream"; readonly origin: string; readonly secretKey: string }
  | { readonly kind: "real"; readonly secretKey: string };

/** What `npm start` was told by its environment. */
export interface Settings {
  readonly port: number;
  /** The admin API key; undefined where one is to be made. */
  readonly apiKey: string | undefined;
  readonly dataFile: string | undefined;
  readonly stage: string | undefined;
  readonly stripe: StripeTarget;
  /** An engine of the user's, for platforms without ours. */
  readonly dynamodbEndpoint: string | undefined;
}

/** Sent to an upstream that is not Stripe itself, where no credential is given. */
export const STRIPE_PLACEHOLDER = "sk_test_keybrake_placeholder";

/** Reads the settings; a variable that is set to nothing is unset. Throws a StartError that names the first wrong one. */
export function parseSettings(environment: Readonly<Record<string, string | undefined>>): Settings {
  const read = (name: string) => environment[name] || undefined;
  return {
    port: parsePort(read("PORT")),
    apiKey: parseApiKey(read("KEYBRAKE_API_KEY")),
    dataFile: read("KEYBRAKE_DATA"),
    stage: parseStage(read("KEYBRAKE_STAGE")),
    stripe: parseStripe(read("STRIPE_SECRET_KEY"), read("KEYBRAKE_STRIPE_ORIGIN")),
    dynamodbEndpoint: read("AWS_ENDPOINT_URL_DYNAMODB"),
  };
}

function parsePort(text: string | undefined): number {
  if (text === undefined) return PORT_DEFAULT;
  const port = /^\d{1,5}$/.test(text) ? Number(text) : Number.NaN;
  if (port >= 0 && port <= 65_535) return port;
  throw new StartError(`PORT is ${text}; it takes a number from 0 to 65535, where 0 takes a free port`);
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
    `KEYBRAKE_STAGE is ${text}; it takes 1 to 128 letters, digits, hyphens and underscores`,
  );
}

function parseStripe(secretKey: string | undefined, origin: string | undefined): StripeTarget {
  if (origin !== undefined) {
    return {
      kind: "upstream",
      origin: parseOrigin("KEYBRAKE_STRIPE_ORIGIN", origin),
      secretKey: secretKey ?? STRIPE_PLACEHOLDER,
    };
  }
  return secretKey === undefined ? { kind: "simulated" } : { kind: "real", secretKey };
}

function parseOrigin(name: string, text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const isHttp = url?.protocol === "http:" || url?.protocol === "https:";
  if (url !== undefined && isHttp && url.href === `${url.origin}/`) return url.origin;
  throw new StartError(
    `${name} is ${text}; it takes an origin without a path, such as http://127.0.0.1:12111`,
  );
}
