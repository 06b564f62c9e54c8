import type { Balance } from "../../domain/balance.ts";
import { joinedDraw } from "../../domain/call/claim.ts";
import { deniedRecordId, nextGenerationId } from "../../domain/call/names.ts";
import { type Attempt, type CallRecord, unclaimed, withAttempt } from "../../domain/call/record.ts";
import { pruned } from "../../domain/call/retention.ts";
import { dollars } from "../../domain/money.ts";
import { Problem } from "../../domain/problem.ts";
import { sha256 } from "../../domain/token.ts";
import { rootOf } from "../../domain/vault-key.ts";
import { checkIn } from "./check-in.ts";
import { inFlight, recordFull } from "./denial-messages.ts";
import { type Denial, denialOnOwnRecord, problemOf } from "./denials.ts";
import type { ProxyPorts } from "./proxy-ports.ts";
import type { PaidCall, Price } from "./quote.ts";
import { onRecord, type Row } from "./row.ts";

/** How long one attempt keeps others away from its call: longer than a process can live. */
const LEASE_MS = 30_000;
/** Recall ends this long before the vendor may forget the key: twice any clock skew and an attempt's lifetime. */
const RECALL_MARGIN_MS = 3_600_000;
/** A compare-and-set that keeps failing is contention that a client should wait out. */
const TRIES_MAX = 20;

/** The call is this attempt's own to make, once its budget is reserved. */
export interface Claimed extends PaidCall {
  readonly kind: "claimed";
  readonly record: CallRecord;
}

/** The attempt uses a draw that is held already. */
export interface Joined extends PaidCall {
  readonly kind: "joined";
  readonly record: CallRecord;
  /** The key's balance beside the join. */
  readonly leaf: Balance | null;
}

type ClaimPorts = Pick<ProxyPorts, "vault" | "clock">;

/**
 * Whose call is it? With an idempotency key its record takes the attempt and a lease (W1), or the attempt joins what is held
 * (W1b). Without one there is nothing to share: the record is written with the outcome only.
 */
export async function claim(paid: PaidCall, ports: ClaimPorts): Promise<Claimed | Joined | Denial> {
  const { row, price, call, request } = paid;
  const idempotencyKey = request.headers[call.vendor.idempotencyHeader]?.[0];
  const { idempotency } = price.rule;
  if (idempotency === null || idempotencyKey === undefined)
    return { ...paid, kind: "claimed", record: unclaimed(row.recordId, row.attempt) };

  const callId = recallId(paid, idempotencyKey);
  let generation = callId;
  let asked = paid;
  for (let tries = 0; tries < TRIES_MAX; tries++) {
    const claimed = await claimOnce(asked, { callId: generation, replayMs: idempotency.windowMs }, ports);
    if (claimed.kind === "too_old") generation = nextGenerationId(callId, claimed.firstAtMs);
    else if (claimed.kind === "stale") asked = { ...asked, row: claimed.row };
    else return claimed;
  }
  return denialOnOwnRecord(
    onRecord(asked.row, deniedRecordId(generation, row.attempt.attemptId)),
    inFlight(),
  );
}

/** `replayMs`: how long the vendor replays under this idempotency key. */
async function claimOnce(
  paid: PaidCall,
  { callId, replayMs }: { readonly callId: string; readonly replayMs: number },
  ports: ClaimPorts,
): Promise<Claimed | Joined | Denial | { readonly kind: "too_old"; readonly firstAtMs: number } | Stale> {
  const { attempt } = paid.row;
  // A claim that throws may have landed, so its denial is on a record beside the call's.
  const beside = onRecord(paid.row, deniedRecordId(callId, attempt.attemptId));
  try {
    const nowMs = ports.clock.now();
    const leaseUntilMs = nowMs + LEASE_MS;
    const replayableSinceMs = nowMs - replayMs + RECALL_MARGIN_MS;
    const result = await ports.vault.calls.claim({ callId, attempt, nowMs, leaseUntilMs, replayableSinceMs });
    switch (result.kind) {
      case "claimed":
        return { ...paid, kind: "claimed", row: onRecord(paid.row, callId), record: result.record };
      case "busy":
        return denialOnOwnRecord(beside, inFlight());
      case "full":
        return denialOnOwnRecord(beside, recordFull(result.record));
      case "too_old":
        return result;
      case "joinable":
        return await join(paid, { record: result.record, leaseUntilMs }, ports);
    }
  } catch (error) {
    return denialOnOwnRecord(beside, problemOf(error, "no"));
  }
}

/** Another write was first. `row`: it may be counted already. */
interface Stale {
  readonly kind: "stale";
  readonly row: Row;
}

/** W1b. The chain is asked beside it, since what was drawn before says nothing of a revocation since. */
async function join(
  paid: PaidCall,
  { record, leaseUntilMs }: { readonly record: CallRecord; readonly leaseUntilMs: number },
  ports: ClaimPorts,
): Promise<Joined | Denial | Stale> {
  const { attempt } = paid.row;
  const joiner: Attempt = { ...attempt, kind: "joiner", settledAtJoin: record.status === "settled" };
  const written = withAttempt(pruned(record, joiner.attemptId), joiner, leaseUntilMs);
  const [saved, seen] = await Promise.all([
    ports.vault.calls.save(written, record.version, null),
    checkIn(paid.row, ports),
  ]);
  // An earlier send of the same join landed though its reply was lost.
  const landed =
    saved.kind === "saved"
      ? written
      : saved.kind === "stale" && saved.record?.attempts[joiner.attemptId]?.state === "open"
        ? saved.record
        : null;
  if (landed === null) return { kind: "stale", row: seen.problem === null ? seen.row : paid.row };

  const { leaf } = seen;
  const row = onRecord(seen.row, landed.callId);
  const problem = seen.problem ?? dearerProblem(landed, paid.price);
  return problem === null
    ? { ...paid, kind: "joined", row, record: landed, leaf }
    : { kind: "denied", writes: "outcome", problem, row, record: landed, leaf };
}

/**
 * Others may have raised the object since the attempt that this one would join, and whether that one was executed is not
 * known: then this one could execute at a price that nothing holds. Not where nothing can be executed any more, which may
 * be what the first attempt did.
 */
function dearerProblem(record: CallRecord, { quote, known }: Price): Problem | null {
  const first = joinedDraw(record);
  if (first === null || known.found === null || quote.isOver || quote.amount <= first.amount) return null;
  return new Problem(
    "amount_unknown",
    `this call now needs ${dollars(quote.amount)}, while ${dollars(first.amount)} was reserved by its first attempt, whose outcome is unknown: the amount was raised in the meantime; send it with a new Idempotency-Key, which reserves the new amount`,
    { otherAttempts: true },
  );
}

/** What makes two requests the same call: the vendor would replay the one as the answer to the other. */
function recallId({ call, row: { policy }, request }: PaidCall, idempotencyKey: string): string {
  const { method, rawPath, query, body, headers } = request;
  const account = call.vendor.accountHeaders.flatMap((name) =>
    (headers[name] ?? []).map((value) => [name, value]),
  );
  const same = [
    policy.vendor,
    policy.credential,
    rootOf(policy),
    idempotencyKey,
    method,
    rawPath,
    query,
    sha256(body),
    ...(account.length === 0 ? [] : [account]),
  ];
  return `call_${sha256(JSON.stringify(same)).slice(0, 40)}`;
}
