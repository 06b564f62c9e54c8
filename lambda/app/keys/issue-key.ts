import { limitsEachKey } from "../../domain/api-key.ts";
import { type Balance, type Caps, fullBalance, isCapped } from "../../domain/balance.ts";
import type { CallLimits } from "../../domain/call-limits.ts";
import { type Covers, type Given, givenUnder } from "../../domain/ceiling.ts";
import { listedKey } from "../../domain/key-list.ts";
import type { MicroUsd } from "../../domain/money.ts";
import { Problem } from "../../domain/problem.ts";
import { sha256 } from "../../domain/token.ts";
import {
  type ChainMember,
  DEPTH_MAX,
  type Mode,
  makeVaultKey,
  type Policy,
  vaultKeysOf,
} from "../../domain/vault-key.ts";
import type { Clock } from "../../ports/clock.ts";
import type { Ids } from "../../ports/ids.ts";
import type { StopsVault } from "../../ports/stops.ts";
import type { Vault } from "../../ports/vault.ts";
import { refuseStopped, runStopped, stopOn } from "../stops/refuse-stopped.ts";
import { ceilingFrom, chainAbove, enforcedAbove, type Issuer } from "./issuer.ts";

/** What a caller asks for; undefined or null where nothing was said. Caps in micro-dollars. */
export interface KeyRequest {
  readonly vendor: string;
  readonly credential: string;
  readonly caps: { readonly [cap in keyof Caps]?: MicroUsd | undefined };
  readonly allowedEndpoints: readonly string[] | null;
  readonly limits: CallLimits;
  readonly mode: Mode;
  /** Null: no rate. */
  readonly maxCallsPerMinute: number | null;
  readonly expiresInS: number | null;
  readonly label: string | null;
  readonly metadata: Readonly<Record<string, string>>;
}

export interface IssuedKey {
  readonly token: string;
  readonly policy: Policy;
  readonly balance: Balance;
}

interface Ports {
  readonly vault: Vault & Pick<StopsVault, "stops">;
  readonly clock: Clock;
  readonly ids: Ids;
  /** Whether an entry of `allowed_recipients` covers another one, as this vendor reads them. */
  readonly recipientsOf: (vendor: string) => Covers;
}

const EXPIRES_IN_MS = 3_600_000;

/**
 * Issues a vault key. The secret leaves here once and is stored only as a hash. With a request key a repeat is refused with
 * the id of the key that was issued, since its secret cannot be shown again.
 *
 * Throws a Problem that names the field in which the key would be wider than its issuer.
 */
export async function issueKey(
  request: KeyRequest,
  issuer: Issuer,
  requestKey: string | null,
  ports: Ports,
): Promise<IssuedKey> {
  const { vault, clock, ids } = ports;
  const issuedAtMs = clock.now();
  const given = givenBy(issuer, request, issuedAtMs, ports);
  const { keyId, token, secretHash } = makeVaultKey(ids.random(16), ids.random(32));
  const policy: Policy = {
    keyId,
    secretHash,
    vendor: request.vendor,
    credential: request.credential,
    allowedEndpoints: given.endpoints,
    limits: given.limits,
    label: request.label ?? (issuer.kind === "vault_key" ? issuer.policy.label : null),
    metadata: request.metadata,
    chain: [...chainAbove(issuer), memberOf(keyId, issuedAtMs, request)],
    ...(request.mode === "observe" && enforcedAbove(issuer)),
    issuerId: issuer.id,
    issuedAtMs,
    issuedWith: { caps: given.caps, expiresAtMs: given.expiresAtMs },
  };
  const balance = fullBalance(
    { keyId, issuedAtMs, ...policy.issuedWith },
    { hasRate: request.maxCallsPerMinute !== null },
  );
  const stoppedBefore = await stopOn(listedKey(policy), { vault, clock });
  if (stoppedBefore !== null) throw runStopped(stoppedBefore);
  const created = await vault.policies.create(
    policy,
    balance,
    requestKey === null ? null : sha256(JSON.stringify([issuer.id, requestKey])),
  );
  if (created === "created") {
    await refuseStopped(policy, { vault, clock });
    return { token, policy, balance };
  }
  throw new Problem(
    "already_issued",
    `a key was already issued with this Idempotency-Key: ${created.alreadyIssued}; its secret is not shown again; if it is lost, revoke the key and issue another one`,
    {
      details: { id: created.alreadyIssued },
    },
  );
}

/** What the key gets: what is asked for, cut to the issuer's where nothing was said. */
function givenBy(issuer: Issuer, request: KeyRequest, nowMs: number, { recipientsOf }: Ports): Given {
  if (issuer.kind === "vault_key" && vaultKeysOf(issuer.policy).length >= DEPTH_MAX)
    throw new Problem(
      "chain_too_long",
      `vault key ${issuer.id} has ${DEPTH_MAX - 1} keys above it, and a key can have no more; issue this one with a key above it`,
      { details: { key_id: issuer.id } },
    );
  if (request.mode === "observe" && issuer.kind === "api_key" && limitsEachKey(issuer.apiKey))
    throw new Problem(
      "wider_than_issuer",
      `mode: got "observe"; API key ${issuer.id} limits what its keys may spend or call, and a key that only observes keeps to no limit; leave it out`,
      { details: { field: "mode", issuer_id: issuer.id } },
    );
  const { vendor, credential, caps, allowedEndpoints: endpoints, limits, expiresInS } = request;
  const given = givenUnder(
    ceilingFrom(issuer, nowMs),
    {
      vendor,
      credential,
      caps,
      endpoints,
      limits,
      expiresAtMs: expiresInS === null ? null : nowMs + expiresInS * 1000,
      expiresByDefaultMs: nowMs + EXPIRES_IN_MS,
    },
    recipientsOf(vendor),
  );
  if ("wider" in given)
    throw new Problem("wider_than_issuer", `${given.wider.field}: ${given.wider.message}`, {
      details: { field: given.wider.field, issuer_id: issuer.id },
    });
  if (!isCapped(given.caps))
    throw new Problem(
      "invalid_request",
      "daily_usd_cap: missing; a key needs daily_usd_cap or total_usd_cap, such as 50",
      { details: { field: "daily_usd_cap" } },
    );
  return given;
}

/** The key as a member of its chain. */
const memberOf = (
  keyId: string,
  issuedAtMs: number,
  { mode, maxCallsPerMinute }: Pick<KeyRequest, "mode" | "maxCallsPerMinute">,
): ChainMember => ({
  keyId,
  issuedAtMs,
  ...(mode === "observe" && { mode }),
  ...(maxCallsPerMinute !== null && { maxCallsPerMinute }),
});
