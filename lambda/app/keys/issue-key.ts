import { type Balance, type Caps, UNCAPPED } from "../../domain/balance.ts";
import type { CallLimits } from "../../domain/call-limits.ts";
import { Problem } from "../../domain/problem.ts";
import { makeVaultKey, type Policy, sha256 } from "../../domain/vault-key.ts";
import type { Clock } from "../../ports/clock.ts";
import type { Ids } from "../../ports/ids.ts";
import type { Vault } from "../../ports/vault.ts";

/** What a caller asks for; caps in micro-dollars, null where none is set. */
export interface KeyRequest {
  readonly vendor: string;
  readonly credential: string;
  readonly caps: Caps;
  readonly allowedEndpoints: readonly string[] | null;
  readonly limits: CallLimits;
  readonly expiresInS: number;
  readonly label: string | null;
  readonly metadata: Readonly<Record<string, string>>;
}

export interface IssuedKey {
  readonly token: string;
  readonly policy: Policy;
  readonly balance: Balance;
}

/**
 * Issues a root vault key. The secret leaves here once and is stored only as a hash. With a request key a repeat is
 * refused with the id of the key that was issued, since its secret cannot be shown again.
 */
export async function issueKey(
  request: KeyRequest,
  issuerId: string,
  requestKey: string | null,
  { vault, clock, ids }: { readonly vault: Vault; readonly clock: Clock; readonly ids: Ids },
): Promise<IssuedKey> {
  const issuedAtMs = clock.now();
  const { keyId, token, secretHash } = makeVaultKey(ids.random(16), ids.random(32));
  const policy: Policy = {
    keyId,
    secretHash,
    vendor: request.vendor,
    credential: request.credential,
    allowedEndpoints: request.allowedEndpoints,
    limits: request.limits,
    label: request.label,
    metadata: request.metadata,
    chain: [{ keyId, issuedAtMs }],
    issuerId,
    issuedAtMs,
    issuedWith: { caps: request.caps, expiresAtMs: issuedAtMs + request.expiresInS * 1000 },
  };
  const balance: Balance = {
    keyId,
    issuedAtMs,
    caps: request.caps,
    leftByWindow: {},
    leftInTotal: request.caps.total,
    expiresAtMs: policy.issuedWith.expiresAtMs,
    revokedAtMs: null,
    fenceMs: 0,
    writes: 0,
  };
  const created = await vault.policies.create(
    policy,
    balance,
    requestKey === null ? null : sha256(JSON.stringify([issuerId, requestKey])),
  );
  if (created === "created") return { token, policy, balance };
  throw new Problem(
    "already_issued",
    `a key was already issued with this Idempotency-Key: ${created.alreadyIssued}; its secret is not shown again; if it is lost, revoke the key and issue another one`,
    {
      details: { id: created.alreadyIssued },
    },
  );
}

export const isCapped = ({ daily, total }: Caps): boolean => daily < UNCAPPED || total < UNCAPPED;
