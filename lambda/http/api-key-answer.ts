import type { ApiKeyView } from "../app/keys/manage-api-keys.ts";
import { usdNumber } from "../domain/money.ts";
import { isoTime } from "../domain/time.ts";
import { capBody, capNumber } from "./key-answer.ts";

/** An API key on the wire: what it may do, and what is left of its own caps. Never its secret. */
export function apiKeyBody({ apiKey, revokedAtMs, caps }: ApiKeyView): Record<string, unknown> {
  const { ceilings } = apiKey;
  return {
    id: apiKey.apiKeyId,
    name: apiKey.name,
    status: revokedAtMs === null ? "active" : "revoked",
    scopes: apiKey.scopes,
    allowed_vendors: apiKey.vendors,
    allowed_credentials: apiKey.credentials,
    allowed_endpoints: ceilings.endpoints,
    max_daily_usd_cap: capNumber(ceilings.caps.daily),
    max_total_usd_cap: capNumber(ceilings.caps.total),
    max_per_call_usd_cap: capNumber(ceilings.caps.perCall),
    max_expires_in_s: ceilings.expiresInS,
    daily_usd_cap: capNumber(apiKey.caps.daily),
    total_usd_cap: capNumber(apiKey.caps.total),
    issuer_id: apiKey.issuerId,
    issued_at: isoTime(apiKey.issuedAtMs),
    revoked_at: revokedAtMs === null ? null : isoTime(revokedAtMs),
    caps: Object.fromEntries(
      caps.map((status) => [status.name, { usd_cap: usdNumber(status.cap), ...capBody(status) }]),
    ),
  };
}
