import { claimDecision } from "../../lambda/domain/call/claim.ts";
import { chargedAt, closed } from "../../lambda/domain/call/close.ts";
import { type AttemptResult, fold } from "../../lambda/domain/call/fold.ts";
import { repriced } from "../../lambda/domain/call/late-price.ts";
import { type CallRecord, newCall, type Attempt as ProductAttempt } from "../../lambda/domain/call/record.ts";
import { resolved } from "../../lambda/domain/call/resolve.ts";
import { microUsd } from "../../lambda/domain/money.ts";
import { unresolvedOf } from "./call.ts";
import type { Answer, Attempt, Call, Process, Setting, State } from "./state.ts";

/**
 * Compares a step of the model with what the product's own pure functions decide of the same record: claim, fold, late
 * prices, verdicts, and what the resolver makes of an attempt. Says how they differ; null where they do not, or where the step
 * decides nothing.
 */
export function differsFromProduct(
  before: State,
  what: string,
  after: State,
  setting: Setting,
): string | null {
  const [actor = "", rest = ""] = what.split(": ", 2);
  const [process, next] = [before, after].map(({ processes }) => processes.find(({ id }) => id === actor));
  if (process !== undefined && next !== undefined && rest.startsWith("begins"))
    return claimDiffers(before, next, after);
  if (process !== undefined && rest.startsWith("writes its outcome"))
    return foldDiffers(before, process, after, setting);
  const [, finished, call] = /^finishes (\w+) of (\S+)$/.exec(rest) ?? [];
  if (finished !== undefined && call !== undefined) return finishDiffers(before, finished, call, after);
  if (actor === "verdict") return verdictDiffers(before, after, setting);
  if (actor.startsWith("late price")) return latePriceDiffers(before, after, setting);
  return null;
}

/** What the model decided of a claim, and what `claimDecision` says of the record that it met. */
function claimDiffers(before: State, { id, call: name }: Process, after: State): string | null {
  if (name === "" || after.calls[name]?.attempts[id]?.noted === false) return null;
  const met = before.calls[name];
  const record = met === undefined ? null : recordOf(name, met);
  const product = claimDecision(record, { nowMs: after.clock, replayableSinceMs: before.aged - 1 });
  const model = after.calls[name]?.attempts[id]?.own ? "claim" : "join";
  return product === model ? null : `the product says ${product}, the model ${model}`;
}

function foldDiffers(
  before: State,
  process: Process,
  after: State,
  { rules, price, latePrice }: Setting,
): string | null {
  const call = before.calls[process.call];
  const written = after.calls[process.call];
  if (call === undefined || written === undefined || process.answer === null) return "a call is missing";
  const result = resultOf(process.answer, process, price, latePrice);
  const { record } = fold(
    recordOf(process.call, call),
    process.id,
    result,
    before.clock,
    rules.vendorRerunsFailures,
  );
  return differs(record, recordOf(process.call, written));
}

function latePriceDiffers(before: State, after: State, { latePrice }: Setting): string | null {
  for (const [name, call] of Object.entries(before.calls)) {
    const settled = after.calls[name];
    if (!call.late || settled === undefined || settled.late) continue;
    const final = { price: micro(latePrice ?? 0), amountText: "", currency: "usd", fxRate: null };
    const product = repriced(recordOf(name, call), final, "late", before.clock);
    return product === null
      ? "the product reprices nothing"
      : differs(product.record, recordOf(name, settled));
  }
  return null;
}

/** What the model made of an attempt on evidence, and `resolved`, which is shown nothing else that is unfinished. */
function finishDiffers(before: State, id: string, name: string, after: State): string | null {
  const [call, finished] = [before.calls[name], after.calls[name]];
  const attempt = call?.attempts[id];
  if (call === undefined || finished === undefined || attempt === undefined) return "a call is missing";
  const record = recordOf(name, call);
  const later = <T>(entries: Readonly<Record<string, T>>) =>
    Object.fromEntries(
      Object.entries(entries).map(([key, entry]) => [
        key,
        key === id ? entry : { ...entry, issuedAtMs: LATER },
      ]),
    );
  const alone = { ...record, attempts: later(record.attempts), corrections: later(record.corrections) };
  const landed = (key: string) =>
    new Set(before.balances[key]?.log.map((write) => (write.op === "draw" ? write.id.slice(1) : write.id)));
  const told = {
    writer: "resolver",
    nowMs: before.clock,
    untilMs: attempt.issuedAt,
    denied: new Set<string>(),
  };
  return differs(resolved(alone, landed, told).record, recordOf(name, finished));
}

/** Later than anything of a model. */
const LATER = 1e9;

/** What the model decided of a verdict from outside, and `closed`. */
function verdictDiffers(before: State, after: State, { price }: Setting): string | null {
  for (const [name, call] of Object.entries(before.calls)) {
    const settled = after.calls[name];
    if (settled === undefined || settled.version === call.version) continue;
    const isCharged = before.vendor.charges.some((charge) => charge.call === name);
    const verdict = isCharged ? chargedAt(micro(price)) : ({ kind: "not_charged" } as const);
    const product = closed(recordOf(name, call), verdict, "admin", "verdict", before.clock);
    return product === null ? "the product closes nothing" : differs(product.record, recordOf(name, settled));
  }
  return "the verdict closes nothing";
}

const resultOf = (
  answer: Answer,
  { draws }: Process,
  price: number,
  latePrice: number | null,
): AttemptResult => {
  const keysOf = (kind: string) => Object.keys(draws).filter((key) => draws[key] === kind);
  if (answer.kind === "denied")
    return { kind: "denied", drawn: keysOf("drawn"), ambiguous: keysOf("ambiguous") };
  if (answer.kind !== "executed") return answer;
  const estimateOf = latePrice === null ? null : "vendor";
  return { ...answer, price: micro(price), objectId: "object", estimateOf, uncounts: [] };
};

const micro = (amount: number) => microUsd(BigInt(amount));

/** A call of the model as a record of the product. */
function recordOf(callId: string, call: Call): CallRecord {
  return {
    ...newCall(callId, call.bornAged),
    version: call.version,
    status: statusOf(call),
    lease: call.lease === null ? null : { attemptId: call.lease.by, untilMs: call.lease.at },
    joiners: call.joiners,
    payingAttemptId: call.payer,
    objectId: call.payer === null ? null : "object",
    latePrice: call.late ? { vendor: "vendor", dueMs: 0 } : null,
    attempts: Object.fromEntries(
      Object.entries(call.attempts)
        .filter(([, { noted, done }]) => noted || !done)
        .map(([id, attempt]) => [id, attemptOf(id, attempt)]),
    ),
    corrections: Object.fromEntries(
      Object.entries(call.corrections).map(([id, { key, window, amount, issuedAt }]) => [
        id,
        { keyId: key, window, amount: micro(amount), issuedAtMs: issuedAt },
      ]),
    ),
  };
}

function statusOf(call: Call): CallRecord["status"] {
  if (call.payer !== null) return "settled";
  if (unresolvedOf(call).length > 0) return "unresolved";
  return call.ended ? "final" : "idle";
}

const attemptOf = (attemptId: string, attempt: Attempt): ProductAttempt => ({
  attemptId,
  state: attempt.state === "never_sent" ? "released" : attempt.state,
  kind: attempt.own ? "own" : "joiner",
  amount: micro(attempt.amount),
  windows: attempt.chain.map((keyId) => ({ keyId, window: attempt.window })),
  issuedAtMs: attempt.issuedAt,
  ambiguous: attempt.ambiguous,
  settledAtJoin: attempt.settledAtJoin,
  cost: micro(attempt.cost),
  overrun: false,
  lateAtMs: null,
  closedBy: null,
  request: REQUEST,
  outcome: null,
});

const REQUEST: ProductAttempt["request"] = {
  keyId: "",
  method: "POST",
  path: "",
  callLabel: null,
  idempotencyKey: null,
  amountText: null,
  currency: null,
  fxRate: null,
  sourceIp: null,
  userAgent: null,
};

/** Two records that decide the same: names of corrections aside. */
function differs(product: CallRecord, model: CallRecord): string | null {
  const [ours, theirs] = [told(product), told(model)];
  return ours === theirs ? null : `the product writes ${ours}, the model ${theirs}`;
}

const told = ({ status, joiners, payingAttemptId, latePrice, attempts, corrections }: CallRecord): string => {
  const sums = new Map<string, bigint>();
  for (const { keyId, window, amount } of Object.values(corrections)) {
    sums.set(`${keyId}/${window}`, (sums.get(`${keyId}/${window}`) ?? 0n) + amount);
  }
  const states = Object.entries(attempts).map(
    ([id, { state, cost, ambiguous }]) => `${id} ${state} ${cost} ${ambiguous}`,
  );
  const given = [...sums].map(([place, amount]) => `${place} ${amount}`);
  return JSON.stringify([status, joiners, payingAttemptId, latePrice !== null, states.sort(), given.sort()]);
};
