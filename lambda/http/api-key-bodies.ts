import * as v from "valibot";
import type { ApiKeyRequest } from "../app/keys/manage-api-keys.ts";
import { SCOPES } from "../domain/api-key.ts";
import { UNCAPPED } from "../domain/balance.ts";
import { parseEndpointPattern } from "../domain/endpoint.ts";
import type { Secrets } from "../domain/secrets.ts";
import { cap, duration, endpoints } from "./body-fields.ts";
import { invalid, knownSecrets, parseBody } from "./parse-body.ts";

/** The body of `POST /vault/api-keys`. Unknown fields are refused: a misspelt ceiling must not leave a key without one. */

const NAME_ACCEPTED = "expected a name of 1 to 100 characters, such as billing-jobs";
const SCOPES_ACCEPTED = `expected a list of ${SCOPES.join(", ")}`;
const NAMES_MAX = 50;

const names = (example: string) =>
  v.optional(
    v.nullable(
      v.pipe(
        v.array(v.string(`expected a list such as ${example}`), `expected a list such as ${example}`),
        v.minLength(1, "got an empty list, which allows nothing; leave it out for no limit"),
        v.maxLength(NAMES_MAX, `expected at most ${NAMES_MAX} entries`),
      ),
    ),
    null,
  );

/** `POST /vault/api-keys`. */
export const apiKeyBody = v.strictObject({
  name: v.pipe(
    v.string(NAME_ACCEPTED),
    // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is refused.
    v.regex(/^[^\u0000-\u001f\u007f]{1,100}$/, NAME_ACCEPTED),
  ),
  scopes: v.pipe(
    v.array(v.picklist(SCOPES, SCOPES_ACCEPTED), SCOPES_ACCEPTED),
    v.minLength(1, SCOPES_ACCEPTED),
    v.maxLength(SCOPES.length, SCOPES_ACCEPTED),
  ),
  allowed_vendors: names('["default"]'),
  allowed_credentials: names('["default"]'),
  allowed_endpoints: endpoints,
  max_daily_usd_cap: cap,
  max_total_usd_cap: cap,
  max_per_call_usd_cap: cap,
  max_expires_in: v.optional(v.nullable(duration), null),
  daily_usd_cap: cap,
  total_usd_cap: cap,
});

/** What a new API key can be for. */
export interface ApiKeyIssuing {
  /** Vendor -> names of its credentials. */
  readonly credentials: Readonly<Record<string, readonly string[]>>;
  readonly secrets: Secrets;
  /** What the caller shows, which no stored text may contain. */
  readonly token: string | null;
}

/** Reads the body, or throws a Problem that names the field and says what was expected. */
export function parseApiKeyBody(body: unknown, { credentials, ...issuing }: ApiKeyIssuing): ApiKeyRequest {
  const parsed = parseBody(apiKeyBody, body);
  refuseSecrets(parsed, issuing);
  refuseLimitsOfAdmin(parsed);
  refuseUnknown("allowed_vendors", parsed.allowed_vendors, Object.keys(credentials));
  refuseUnknown("allowed_credentials", parsed.allowed_credentials, Object.values(credentials).flat());
  const odd = parsed.allowed_endpoints?.find((entry) => "refused" in parseEndpointPattern(entry));
  if (odd !== undefined)
    throw invalid("allowed_endpoints", `got ${shown(odd)}; expected entries such as "GET /v1/**"`);
  return {
    name: parsed.name,
    scopes: [...new Set(parsed.scopes)],
    vendors: parsed.allowed_vendors,
    credentials: parsed.allowed_credentials,
    ceilings: {
      caps: {
        daily: parsed.max_daily_usd_cap ?? UNCAPPED,
        total: parsed.max_total_usd_cap ?? UNCAPPED,
        perCall: parsed.max_per_call_usd_cap ?? UNCAPPED,
      },
      endpoints: parsed.allowed_endpoints,
      expiresInS: parsed.max_expires_in,
    },
    caps: {
      daily: parsed.daily_usd_cap ?? UNCAPPED,
      total: parsed.total_usd_cap ?? UNCAPPED,
      perCall: UNCAPPED,
    },
  };
}

type Parsed = v.InferOutput<typeof apiKeyBody>;

/** Every text of an API key is stored and shown, so a secret in one of them is refused, and never repeated. */
function refuseSecrets(parsed: Parsed, { secrets, token }: Pick<ApiKeyIssuing, "secrets" | "token">): void {
  const { name, allowed_vendors, allowed_credentials, allowed_endpoints } = parsed;
  const texts = { name: [name], allowed_vendors, allowed_credentials, allowed_endpoints };
  for (const [field, all] of Object.entries(texts))
    for (const text of all ?? []) {
      const secret = secrets.secretIn(text, knownSecrets(token));
      if (secret !== null)
        throw invalid(
          field,
          `contains ${secret}; this field is stored and shown, so it must not contain a secret`,
        );
    }
}

/** With the scope `admin` it could make an API key without any limit, so nobody may rely on one. */
function refuseLimitsOfAdmin({ name: _, scopes, ...limits }: Parsed): void {
  const limit = Object.entries(limits).find(([, value]) => value != null);
  if (limit !== undefined && scopes.includes("admin"))
    throw invalid(
      limit[0],
      'an API key with the scope "admin" can make others without limits, so a limit on it would not hold; leave it out, or give it other scopes',
    );
}

function refuseUnknown(field: string, asked: readonly string[] | null, known: readonly string[]): void {
  const odd = asked?.find((name) => !known.includes(name));
  if (odd !== undefined)
    throw invalid(field, `got ${shown(odd)}; expected some of ${[...new Set(known)].join(", ")}`);
}

const shown = (text: string): string => JSON.stringify(text.slice(0, 80));
