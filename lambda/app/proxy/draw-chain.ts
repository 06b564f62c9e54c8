import { type Balance, type BalanceRefusal, observedRefusal, standing } from "../../domain/balance.ts";
import type { CallCount } from "../../domain/call-rate.ts";
import { type ChainMember, countOf } from "../../domain/vault-key.ts";
import type { AttemptNote, Balances } from "../../ports/balances.ts";
import type { ProxyPorts } from "./proxy-ports.ts";
import type { Row } from "./row.ts";

/** What became of the draws of an attempt. */
export interface Reservation {
  readonly drawn: readonly string[];
  readonly ambiguous: readonly string[];
  /** The leaf's balance after the draw, or as it refused. */
  readonly leaf: Balance | null;
  /** The refusal that is told. */
  readonly refusal: Refusal | null;
  /** Those of every member of the chain. */
  readonly refusals: readonly Refusal[];
  /** When the first member that was drawn from ends, in milliseconds. */
  readonly drawnUntilMs: number;
  /** Why members that only observe would have refused, from the root on. */
  readonly wouldRefuse: readonly BalanceRefusal[];
  /** Members with a rate that did not count the attempt, since it did not fit a cap of theirs. */
  readonly uncounted: readonly ChainMember[];
}

export interface Refusal {
  readonly keyId: string;
  readonly reason: BalanceRefusal;
  readonly balance: Balance | null;
  /** What it counts of a call, where it has a rate. */
  readonly count: CallCount | null;
}

/**
 * W2: one draw for each key of the chain, in parallel, each sent once. Beside them the members that nothing is drawn from are
 * read: they have to stand too.
 */
export async function drawChain(
  { policy, attempt }: Pick<Row, "policy" | "attempt">,
  { isRecorded, ...note }: Omit<AttemptNote, "isLeaf" | "leafId"> & { readonly isRecorded: boolean },
  { vault, clock }: Pick<ProxyPorts, "vault" | "clock">,
): Promise<Reservation> {
  const { attemptId, amount, issuedAtMs } = attempt;
  const leafId = attempt.windows.at(-1)?.keyId;
  const nowMs = clock.now();
  const onlyRead = policy.chain.filter((member) => member.onlyRead === true).map(({ keyId }) => keyId);
  const [read, results] = await Promise.all([
    onlyRead.length === 0 ? [] : refusalsOf(onlyRead, vault.balances, nowMs),
    Promise.all(
      attempt.windows.map(async ({ keyId, window }) => {
        const member = policy.chain.find((each) => each.keyId === keyId);
        const draw = {
          ...note,
          isLeaf: keyId === leafId,
          leafId: keyId === leafId || isRecorded ? null : (leafId ?? null),
          attemptId,
          keyId,
          amount,
          window,
          issuedAtMs,
          nowMs,
          observes: member?.mode === "observe",
          count: member === undefined ? null : countOf(member, nowMs),
        };
        return { keyId, member, draw, result: await vault.balances.draw(draw) };
      }),
    ),
  ]);
  const leaf = results.at(-1)?.result;
  const refused = [
    ...read,
    ...results.flatMap(({ keyId, draw: { count }, result }) =>
      result.kind === "refused" ? [{ keyId, reason: result.reason, balance: result.balance, count }] : [],
    ),
  ];
  return {
    drawn: results.filter(({ result }) => result.kind === "drawn").map(({ keyId }) => keyId),
    ambiguous: results.filter(({ result }) => result.kind === "ambiguous").map(({ keyId }) => keyId),
    leaf: leaf?.kind === "drawn" || leaf?.kind === "refused" ? leaf.balance : null,
    refusal: refused.find(({ reason }) => reason === "revoked" || reason === "expired") ?? refused[0] ?? null,
    refusals: refused,
    drawnUntilMs: Math.min(
      ...results.map(({ result }) =>
        result.kind === "drawn" ? result.balance.expiresAtMs : Number.MAX_VALUE,
      ),
    ),
    wouldRefuse: results.flatMap(({ draw, result }) =>
      result.kind === "drawn" ? (observedRefusal(result.balance, draw) ?? []) : [],
    ),
    uncounted: results.flatMap(({ member, draw, result }) =>
      member !== undefined && draw.count !== null && result.kind === "refused" && isCap(result.reason)
        ? [member]
        : [],
    ),
  };
}

/** Of keys that nothing is drawn from. One that cannot be read refuses like a fence: the draws beside it have to go back. */
async function refusalsOf(
  keyIds: readonly string[],
  balances: Pick<Balances, "read">,
  nowMs: number,
): Promise<readonly Refusal[]> {
  const read = await balances.read(keyIds).catch(() => null);
  return keyIds.flatMap((keyId, index) => {
    const balance = read?.[index] ?? null;
    const reason = read === null ? "fenced" : standing(balance, nowMs);
    return reason === "active" ? [] : [{ keyId, reason, balance, count: null }];
  });
}

const isCap = (reason: BalanceRefusal): boolean =>
  reason === "per_call_cap" || reason === "daily_cap" || reason === "total_cap";
