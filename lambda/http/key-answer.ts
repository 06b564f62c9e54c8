import type { KeyView } from "../app/keys/manage-key.ts";
import { type CapStatus, UNCAPPED } from "../domain/balance.ts";
import { type MicroUsd, usdNumber } from "../domain/money.ts";
import { isoTime } from "../domain/time.ts";
import { modeOf, ownMember, parentOf } from "../domain/vault-key.ts";

/** A key on the wire: its policy as stored, and what is left of it. The amounts beside the id are of the tightest cap. */
export function keyBody(
  { policy, balance, status, caps, nowMs }: KeyView,
  baseUrl: string,
): Record<string, unknown> {
  const [tightest] = caps;
  return {
    id: policy.keyId,
    vendor: policy.vendor,
    credential: policy.credential,
    base_url: `${baseUrl}/${policy.vendor}`,
    status,
    mode: modeOf(policy),
    agent_run_label: policy.label,
    metadata: policy.metadata,
    allowed_endpoints: policy.allowedEndpoints,
    allowed_accounts: policy.limits.accounts,
    allowed_currencies: policy.limits.currencies,
    allowed_recipients: policy.limits.recipients,
    max_recipients: policy.limits.maxRecipients,
    max_calls_per_minute: ownMember(policy).maxCallsPerMinute ?? null,
    issuer_id: policy.issuerId,
    parent_id: parentOf(policy),
    issued_at: isoTime(policy.issuedAtMs),
    expires_at: isoTime(balance.expiresAtMs),
    expires_in_s: Math.max(0, Math.floor((balance.expiresAtMs - nowMs) / 1000)),
    revoked_at: balance.revokedAtMs === null ? null : isoTime(balance.revokedAtMs),
    daily_usd_cap: capNumber(balance.caps.daily),
    total_usd_cap: capNumber(balance.caps.total),
    per_call_usd_cap: capNumber(balance.caps.perCall),
    ...(tightest === undefined ? {} : capBody(tightest)),
    caps: Object.fromEntries(
      caps.map((status) => [status.name, { usd_cap: usdNumber(status.cap), ...capBody(status) }]),
    ),
  };
}

export const capNumber = (cap: MicroUsd): number | null => (cap < UNCAPPED ? usdNumber(cap) : null);

export const capBody = ({ spent, reserved, remaining, exceededBy, resetsAtMs }: CapStatus) => ({
  spent_usd: usdNumber(spent),
  reserved_usd: usdNumber(reserved),
  remaining_usd: usdNumber(remaining),
  exceeded_by_usd: usdNumber(exceededBy),
  resets_at: resetsAtMs === null ? null : isoTime(resetsAtMs),
});
