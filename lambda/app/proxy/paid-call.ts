import { ENTRIES_MAX, entriesOf, joinedDraw } from "../../domain/call/claim.ts";
import type { AttemptResult, Folded } from "../../domain/call/fold.ts";
import { deniedRecordId, rowCallId } from "../../domain/call/names.ts";
import type { CallRecord } from "../../domain/call/record.ts";
import { unclaimed } from "../../domain/call/record.ts";
import { highestTotal, OBJECT_ENTRIES_MAX } from "../../domain/counted-object.ts";
import { dollars, minus, NOTHING } from "../../domain/money.ts";
import { type Charged, Problem } from "../../domain/problem.ts";
import { cut } from "../../domain/text.ts";
import { rootOf, sha256 } from "../../domain/vault-key.ts";
import type { VendorOutcome, VendorRequest } from "../../domain/vendor.ts";
import type { ObjectEffect } from "../../ports/objects.ts";
import type { VendorReply } from "../../ports/vendor-http.ts";
import type { Admitted } from "./admit-call.ts";
import type { AttemptContext } from "./attempt-context.ts";
import { claimOrJoin, corrected, finish, type Reservation, reserve } from "./call-ledger.ts";
import { reservationProblem } from "./denial-messages.ts";
import type { ProxyResult } from "./proxy-result.ts";

/** The balance stays small: it is the hottest item. */
const NOTE_PATH_LENGTH_MAX = 200;

type PaidPrice = Extract<Admitted["price"], { kind: "paid" }>;

/** An attempt that may be forwarded: its reservation is durable, or it joined a call with one that is. */
interface Ready {
  readonly record: CallRecord;
  readonly joined: boolean;
  readonly reservation: Partial<Reservation>;
}

/** A call that moves or commits money: steps 3 to 8. */
export async function paidCall(
  context: AttemptContext,
  admitted: Admitted,
  price: PaidPrice,
): Promise<ProxyResult> {
  context.quote = price.quote;
  const ready = await reserveOrJoin(context, admitted, price);
  if ("kind" in ready) return ready;
  const { record, joined, reservation } = ready;
  const rerunsFailures = price.rule.idempotency?.rerunsFailures ?? false;
  const late = context.outOfTime();
  if (late !== null) return context.deny(record, late, reservation);

  const forwarded = await context.forward(admitted);
  const { reply, withheld } = forwarded;
  const read =
    forwarded.answer === null
      ? null
      : price.rule.read(forwarded.answer, price.quote, price.known, admitted.request);
  const reading = read !== null && withheld !== null ? withoutNames(read) : read;
  const answer = answerOf(reply, reading, price, admitted.vendor.name);

  const before = reservation.leaf ?? null;
  const reason = reasonOf(answer, reply) ?? (joined ? "joined" : null);
  const notes = {
    facts: ({ corrections }: Folded) =>
      context.outcomeFacts(reason, forwarded, reading, corrected(before, corrections), admitted.vendor),
    effect: (folded: Folded) => objectEffect(context, admitted.request, price, reading, answer, folded),
    rerunsFailures,
  };
  const { ports, attemptId } = context;
  const outcome = await finish(record, attemptId, answer, notes, ports.vault, ports.clock).catch((error) => {
    // The vendor has answered, so its answer goes to the caller; the attempt stays open and its budget held.
    ports.warn("the outcome of a call was not recorded; its budget stays held", error);
    return null;
  });
  const beyond = outcome?.corrections.find(({ amount }) => amount < 0n);
  if (beyond !== undefined)
    ports.warn(`${record.callId} cost more than was reserved: ${dollars(beyond.amount)} beyond`, null);
  return context.answered(
    forwarded,
    chargedBy(answer, reading),
    corrected(before, outcome?.corrections ?? []),
  );
}

/** An answer that repeats the credential could do so in any name: the money counts, the names are not kept. */
const withoutNames = (reading: VendorOutcome): VendorOutcome => ({
  ...reading,
  objectId: null,
  customerId: null,
  currency: null,
  counts: null,
});

/** Steps 3 and 4: claim or join the call, then reserve; or the denial that ended it. */
async function reserveOrJoin(
  context: AttemptContext,
  admitted: Admitted,
  price: PaidPrice,
): Promise<Ready | ProxyResult> {
  const { vault, clock, held } = context.ports;
  const { idempotency } = price.rule;
  const idempotencyKey = context.request.headers[admitted.vendor.idempotencyHeader]?.[0];
  const attempt = context.newAttempt("own");
  let record = unclaimed(context.recordId, attempt);

  if (idempotency !== null && idempotencyKey !== undefined) {
    const callId = recallId(admitted, context, idempotencyKey);
    const claimed = await claimOrJoin(callId, attempt, idempotency.windowMs, vault, clock, (generation) => {
      context.recordId = deniedRecordId(generation, context.attemptId);
    });
    if (claimed.kind === "busy") return context.refuse(inFlight());
    if (claimed.kind === "full") return context.refuse(recordFull(claimed.record));
    record = claimed.record;
    context.recordId = record.callId;
    if (claimed.kind === "joiner") {
      const reservation = { leaf: claimed.balances.at(-1) ?? null };
      const problem = context.standingProblem(claimed.balances) ?? dearerProblem(record, price);
      return problem === null
        ? { record, joined: true, reservation }
        : context.deny(record, problem, reservation);
    }
  }

  const stopped = context.outOfTime() ?? objectFull(price);
  if (stopped !== null) return context.deny(record, stopped, {});
  context.reached = "draw";
  const note = {
    callId: rowCallId(record.callId),
    method: context.request.method,
    path: cut(context.path(), NOTE_PATH_LENGTH_MAX),
  };
  const reservation = await reserve(attempt, note, vault, clock);
  if (reservation.drawn.length === attempt.windows.length) return { record, joined: false, reservation };
  return context.deny(
    record,
    await reservationProblem(reservation, attempt.amount, price.quote.explanation, held, clock.now()),
    reservation,
  );
}

/**
 * Others may have raised the object since the attempt that this one would join, and whether that one was executed is not
 * known: then this one could execute at a price that nothing holds. Not where nothing can be executed any more, which may
 * be what the first attempt did.
 */
function dearerProblem(record: CallRecord, { quote, known }: PaidPrice): Problem | null {
  const first = joinedDraw(record);
  if (first === null || known.found === null || quote.isOver || quote.amount <= first.amount) return null;
  return new Problem(
    "amount_unknown",
    `this call now needs ${dollars(quote.amount)}, while ${dollars(first.amount)} was reserved by its first attempt, whose outcome is not known: what it is about was raised meanwhile; send it with a new Idempotency-Key, which reserves what it needs now`,
    { otherAttempts: true },
  );
}

/** What makes two requests the same call: the vendor would replay the one as the answer to the other. */
function recallId({ vendor }: Admitted, { policy, request }: AttemptContext, idempotencyKey: string): string {
  const { method, rawPath, query, body, headers } = request;
  const account = vendor.accountHeaders.flatMap((name) =>
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

function answerOf(
  reply: VendorReply,
  reading: VendorOutcome | null,
  { known: { object } }: PaidPrice,
  vendorName: string,
): AttemptResult {
  if (reply.kind === "unreachable") return { kind: "refused" };
  if (reading === null) return { kind: "unknown" };
  const { kind, price, replayed, objectId } = reading;
  if (kind === "executed") {
    const ends = reading.uncountsObject && object !== null && !object.cancelled;
    return {
      kind,
      price,
      replayed,
      objectId,
      estimateOf: reading.isEstimate ? vendorName : null,
      uncounts: ends ? object.entries.filter(({ amount }) => amount > 0n) : [],
    };
  }
  return kind === "declined" ? { kind, replayed } : { kind };
}

/**
 * What the call changes about the vendor's object, written with its outcome. All that was paid for it counts from then on;
 * apart stands what no draw holds, since only what certainly was taken may ever go back.
 */
function objectEffect(
  { policy, attemptId, ports }: AttemptContext,
  request: VendorRequest,
  price: PaidPrice,
  reading: VendorOutcome | null,
  answer: AttemptResult,
  folded: Folded,
): ObjectEffect | null {
  const rootId = rootOf(policy);
  const nowMs = ports.clock.now();
  const { object } = price.known;
  if (answer.kind === "executed" && answer.uncounts.length > 0 && object !== null) {
    return { kind: "end", rootId, objectId: object.objectId };
  }
  const { paidBy } = folded;
  const isPaid = paidBy !== null && paidBy.price > 0n;
  // Where the answer does not tell what it is about, what was paid is counted for the object that the request names.
  const named = isPaid ? (price.rule.objectOf?.(request) ?? null) : null;
  const counts = reading?.counts ?? (named === null ? null : { objectId: named, total: NOTHING });
  if (counts === null) return null;
  const { objectId, total } = counts;
  const isNew = object === null || total > highestTotal(object);
  if (paidBy !== null && (isPaid || isNew)) {
    const { attempt, price: paid, drawn } = paidBy;
    const { attemptId: payer, windows } = attempt;
    const entry = { attemptId: payer, amount: drawn, beyond: minus(paid, drawn), total, windows };
    return { kind: "count", rootId, objectId, entry, nowMs };
  }
  if (answer.kind === "declined" && isNew) {
    return {
      kind: "count",
      rootId,
      objectId,
      entry: { attemptId, amount: NOTHING, beyond: NOTHING, total, windows: [] },
      nowMs,
    };
  }
  return null;
}

function chargedBy(answer: AttemptResult, reading: VendorOutcome | null): Charged {
  if (answer.kind !== "executed") return answer.kind === "unknown" ? "unknown" : "no";
  return answer.price > 0n || (reading?.counts ?? null) !== null ? "yes" : "no";
}

/** Why an attempt that was forwarded cost nothing, or may have. */
function reasonOf(answer: AttemptResult, reply: VendorReply): string | null {
  if (reply.kind === "unreachable") return "vendor_unreachable";
  if (reply.kind === "broken") return "vendor_connection_broken";
  if (reply.kind === "timeout") return "vendor_timeout";
  if (reply.kind === "too_large") return "vendor_answer_too_large";
  if (answer.kind === "executed") return null;
  return answer.kind === "unknown" ? "vendor_error" : `vendor_${answer.kind}`;
}

const inFlight = () =>
  new Problem(
    "idempotency_key_in_use",
    "a call with this Idempotency-Key is in flight; repeat it with the same key in a moment",
    { otherAttempts: true },
  );

const recordFull = (record: CallRecord) =>
  new Problem(
    "record_full",
    `this call was attempted too often without a known end: its record ${rowCallId(record.callId)} holds ${entriesOf(record)} attempts and ` +
      `corrections that are not confirmed, and one may hold ${ENTRIES_MAX}; look up at the vendor whether it was executed, ` +
      "and send it under another Idempotency-Key if it was not",
    { otherAttempts: true, details: { call_id: rowCallId(record.callId) } },
  );

/** What is free or gives back stays possible: only a draw may add an entry to what the object is counted by. */
function objectFull({ known: { object }, quote }: PaidPrice): Problem | null {
  if (object === null || object.entries.length < OBJECT_ENTRIES_MAX || quote.amount === 0n) return null;
  return new Problem(
    "record_full",
    `${object.objectId} was changed too often: ${object.entries.length} changes of it are counted, and one object may have ${OBJECT_ENTRIES_MAX}; ` +
      "cancel it and create another one",
    { details: { object_id: object.objectId } },
  );
}
