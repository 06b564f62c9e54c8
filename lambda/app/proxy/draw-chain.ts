import type { Balance, BalanceRefusal } from "../../domain/balance.ts";
import type { Attempt } from "../../domain/call/record.ts";
import type { AttemptNote } from "../../ports/balances.ts";
import type { ProxyPorts } from "./proxy-ports.ts";

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
}

export interface Refusal {
  readonly keyId: string;
  readonly reason: BalanceRefusal;
  readonly balance: Balance | null;
}

/** W2: one draw for each key of the chain, in parallel, each sent once. */
export async function drawChain(
  attempt: Attempt,
  note: Omit<AttemptNote, "isLeaf">,
  { vault, clock }: Pick<ProxyPorts, "vault" | "clock">,
): Promise<Reservation> {
  const { attemptId, amount, issuedAtMs } = attempt;
  const leafId = attempt.windows.at(-1)?.keyId;
  const nowMs = clock.now();
  const results = await Promise.all(
    attempt.windows.map(async ({ keyId, window }) => ({
      keyId,
      result: await vault.balances.draw({
        ...note,
        isLeaf: keyId === leafId,
        attemptId,
        keyId,
        amount,
        window,
        issuedAtMs,
        nowMs,
      }),
    })),
  );
  const leaf = results.at(-1)?.result;
  const refused = results.flatMap(({ keyId, result }) =>
    result.kind === "refused" ? [{ keyId, reason: result.reason, balance: result.balance }] : [],
  );
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
  };
}
