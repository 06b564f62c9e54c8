import * as v from "valibot";
import { labelGroup, type Policy, rootOf } from "../../domain/vault-key.ts";
import { type Item, money, orNull, read, whole, written } from "./codec.ts";

export const policyKey = (keyId: string) => ({ pk: { S: `KEY#${keyId}` }, sk: { S: "POLICY" } });

/** Where a repeated request to issue a key finds the one that was issued. */
export const requestKey = (hash: string) => ({ pk: { S: `ISSUE#${hash}` }, sk: { S: "ISSUE" } });

/** Items of a key outlive its expiry by this, so that an expired key is called expired and not unknown. */
const KEPT_AFTER_EXPIRY_S = 30 * 86_400;

/** The second after the expiry that such a `ttl` was made of, in milliseconds. */
export const endedByMs = (ttlS: number): number => (ttlS - KEPT_AFTER_EXPIRY_S + 1) * 1000;

/** The `ttl` of the items of a key, in seconds. */
export const keyTtlS = (expiresAtMs: number): number => Math.floor(expiresAtMs / 1000) + KEPT_AFTER_EXPIRY_S;

/** What a key allows in a call. */
const limitFields = {
  allowed_endpoints: orNull(v.array(v.string())),
  allowed_accounts: orNull(v.array(v.string())),
  allowed_currencies: orNull(v.array(v.string())),
  allowed_recipients: orNull(v.array(v.string())),
  max_recipients: orNull(whole),
};

type Allowed = Pick<Policy, "allowedEndpoints" | "limits">;

const readAllowed = (
  item: { readonly [Name in keyof typeof limitFields]: v.InferOutput<(typeof limitFields)[Name]> },
): Allowed => ({
  allowedEndpoints: item.allowed_endpoints,
  limits: {
    accounts: item.allowed_accounts,
    currencies: item.allowed_currencies,
    recipients: item.allowed_recipients,
    maxRecipients: item.max_recipients,
  },
});

const allowedFields = ({ allowedEndpoints, limits }: Allowed) => ({
  allowed_endpoints: allowedEndpoints,
  allowed_accounts: limits.accounts ?? undefined,
  allowed_currencies: limits.currencies ?? undefined,
  allowed_recipients: limits.recipients ?? undefined,
  max_recipients: limits.maxRecipients ?? undefined,
});

const policySchema = v.pipe(
  v.object({
    key_id: v.string(),
    secret_hash: v.string(),
    vendor: v.string(),
    credential: v.string(),
    ...limitFields,
    agent_run_label: orNull(v.string()),
    metadata: v.record(v.string(), v.string()),
    chain: v.array(
      v.object({
        key_id: v.string(),
        issued_at: whole,
        only_read: v.optional(v.literal(true)),
        mode: v.optional(v.literal("observe")),
        max_calls_per_minute: v.optional(whole),
      }),
    ),
    enforced_above: v.optional(
      v.object({
        key_id: v.string(),
        ...limitFields,
      }),
    ),
    issuer_id: v.string(),
    issued_at: whole,
    issued_with: v.object({ daily_cap: money, total_cap: money, per_call_cap: money, expires_at: whole }),
  }),
  v.transform(
    (item): Policy => ({
      keyId: item.key_id,
      secretHash: item.secret_hash,
      vendor: item.vendor,
      credential: item.credential,
      ...readAllowed(item),
      label: item.agent_run_label,
      metadata: item.metadata,
      chain: item.chain.map(({ key_id, issued_at, only_read, mode, max_calls_per_minute }) => ({
        keyId: key_id,
        issuedAtMs: issued_at,
        ...(only_read && { onlyRead: only_read }),
        ...(mode !== undefined && { mode }),
        ...(max_calls_per_minute !== undefined && { maxCallsPerMinute: max_calls_per_minute }),
      })),
      ...(item.enforced_above !== undefined && {
        enforcedAbove: { keyId: item.enforced_above.key_id, ...readAllowed(item.enforced_above) },
      }),
      issuerId: item.issuer_id,
      issuedAtMs: item.issued_at,
      issuedWith: {
        caps: {
          daily: item.issued_with.daily_cap,
          total: item.issued_with.total_cap,
          perCall: item.issued_with.per_call_cap,
        },
        expiresAtMs: item.issued_with.expires_at,
      },
    }),
  ),
);

export const readPolicyItem = (item: Item): Policy => v.parse(policySchema, read(item));

export const policyItem = (policy: Policy, ttlS: number): Item => ({
  ...policyKey(policy.keyId),
  ...written({
    key_id: policy.keyId,
    root_id: rootOf(policy),
    secret_hash: policy.secretHash,
    vendor: policy.vendor,
    credential: policy.credential,
    ...allowedFields(policy),
    agent_run_label: policy.label ?? undefined,
    label_group: policy.label === null ? undefined : (labelGroup(policy.label) ?? undefined),
    metadata: policy.metadata,
    chain: policy.chain.map(({ keyId, issuedAtMs, onlyRead, mode, maxCallsPerMinute }) => ({
      key_id: keyId,
      issued_at: issuedAtMs,
      only_read: onlyRead,
      mode,
      max_calls_per_minute: maxCallsPerMinute,
    })),
    enforced_above: policy.enforcedAbove && {
      key_id: policy.enforcedAbove.keyId,
      ...allowedFields(policy.enforcedAbove),
    },
    issuer_id: policy.issuerId,
    issued_at: policy.issuedAtMs,
    issued_with: {
      daily_cap: policy.issuedWith.caps.daily,
      total_cap: policy.issuedWith.caps.total,
      per_call_cap: policy.issuedWith.caps.perCall,
      expires_at: policy.issuedWith.expiresAtMs,
    },
    ttl: ttlS,
  }),
});
