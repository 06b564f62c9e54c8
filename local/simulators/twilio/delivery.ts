import { fieldsOf } from "../shared/fields.ts";
import type { Account, Call, CallStatus, Message, MessageStatus, Price } from "./account.ts";
import { costOfCall, costOfMessage, DEFAULT_CALL_S, isPriceText, isUnanswered, priceText } from "./prices.ts";

const MESSAGE_STATUSES: readonly MessageStatus[] = ["sent", "delivered", "undelivered", "failed"];
const CALL_STATUSES: readonly CallStatus[] = ["completed", "busy", "no-answer", "failed", "canceled"];

/** The end of a message or call: what becomes known of it only after it was made. */
export interface Delivery {
  /** The one that ends; without it all that are pending and can end with this status. */
  readonly sid?: string;
  /** Absent: what it costs. Null: not known yet, so that it stays pending. */
  readonly price?: string | null;
  readonly priceUnit: string;
  /** Absent: `delivered`, or for a call `completed`. */
  readonly status?: string;
  /** Seconds of a call. */
  readonly durationS?: number;
}

/**
 * Reads the JSON of `POST /deliver`: `{"sid"?, "price"?, "price_unit"?, "status"?, "duration"?}`, or no body. Gives the
 * delivery, or a sentence that says what is wrong with it.
 */
export function readDelivery(json: unknown): Delivery | string {
  const fields = json === undefined ? new Map<string, unknown>() : fieldsOf(json);
  if (fields === undefined) return "a delivery is a JSON object";
  const known = ["sid", "price", "price_unit", "status", "duration"];
  const unknown = [...fields.keys()].find((name) => !known.includes(name));
  if (unknown !== undefined) return `unknown field ${unknown}: a delivery has ${known.join(", ")}`;

  const sid = fields.get("sid");
  if (sid !== undefined && typeof sid !== "string") return "sid must be a string";
  const price = fields.get("price");
  if (price !== undefined && price !== null && (typeof price !== "string" || !isPriceText(price)))
    return 'price must be null or a decimal number with six places at most, such as "-0.01130"';
  const priceUnit = fields.get("price_unit") ?? "USD";
  if (typeof priceUnit !== "string" || priceUnit === "") return "price_unit must be a currency";
  const status = fields.get("status");
  const statuses: readonly string[] = [...MESSAGE_STATUSES, ...CALL_STATUSES];
  if (status !== undefined && (typeof status !== "string" || !statuses.includes(status)))
    return `status must be one of ${[...new Set(statuses)].join(", ")}`;
  const duration = fields.get("duration");
  if (duration !== undefined && (typeof duration !== "number" || !Number.isInteger(duration) || duration < 0))
    return "duration must be a whole number of seconds";

  return {
    priceUnit,
    ...(sid === undefined ? {} : { sid }),
    ...(price === undefined ? {} : { price }),
    ...(status === undefined ? {} : { status }),
    ...(duration === undefined ? {} : { durationS: duration }),
  };
}

/** Delivers what is asked for; gives the sids, or a sentence that says why it cannot be. */
export function deliver(account: Account, delivery: Delivery): readonly string[] | string {
  const { sid } = delivery;
  if (sid === undefined) return deliverPending(account, delivery);

  const nowMs = account.nowMs();
  const message = account.messages.get(sid);
  const call = account.calls.get(sid);
  if (message === undefined && call === undefined) return `there is no message or call ${sid}`;
  const isDone =
    (message !== undefined && costOfMessage(message).final) || (call !== undefined && costOfCall(call).final);
  if (isDone) return `${sid} has ended, and its price is known`;
  const delivered =
    message === undefined
      ? call !== undefined && deliverCall(account, call, delivery, nowMs)
      : deliverMessage(account, message, delivery, nowMs);
  return delivered ? [sid] : `${sid} cannot become ${delivery.status}`;
}

function deliverPending(account: Account, delivery: Delivery): readonly string[] {
  const nowMs = account.nowMs();
  const messages = [...account.messages.values()]
    .filter((message) => !costOfMessage(message).final && (message.sendAtMs ?? 0) <= nowMs)
    .filter((message) => deliverMessage(account, message, delivery, nowMs));
  const calls = [...account.calls.values()]
    .filter((call) => !costOfCall(call).final)
    .filter((call) => deliverCall(account, call, delivery, nowMs));
  return [...messages, ...calls].map(({ sid }) => sid);
}

/**
 * Delivers all whose time has come by the account's own clock. No timer runs: this is called before anything is read,
 * and the dates are those of the time they were due.
 */
export function deliverDue(account: Account): void {
  const { deliverAfterMs } = account;
  if (deliverAfterMs === undefined) return;
  const nowMs = account.nowMs();
  const byDefault: Delivery = { priceUnit: "USD" };
  for (const message of account.messages.values()) {
    const dueMs = (message.sendAtMs ?? message.createdMs) + deliverAfterMs;
    if (dueMs <= nowMs && !costOfMessage(message).final) deliverMessage(account, message, byDefault, dueMs);
  }
  for (const call of account.calls.values()) {
    const dueMs = call.createdMs + deliverAfterMs;
    if (dueMs <= nowMs && !costOfCall(call).final) deliverCall(account, call, byDefault, dueMs);
  }
}

/** False where a message cannot have that status. */
function deliverMessage(account: Account, message: Message, delivery: Delivery, nowMs: number): boolean {
  const status = statusOf(MESSAGE_STATUSES, delivery.status, message.status, "delivered");
  if (status === undefined) return false;
  const sent: Message = { ...message, status, sentMs: message.sentMs ?? nowMs, updatedMs: nowMs };
  account.messages.set(message.sid, { ...sent, price: priceOf(delivery, costOfMessage(sent).microUsd) });
  return true;
}

/** False where a call cannot have that status. One that was taken lasts no longer than its time limit. */
function deliverCall(account: Account, call: Call, delivery: Delivery, nowMs: number): boolean {
  const status = statusOf(CALL_STATUSES, delivery.status, call.status, "completed");
  if (status === undefined) return false;
  const durationS = isUnanswered(status)
    ? 0
    : Math.min(delivery.durationS ?? call.durationS ?? DEFAULT_CALL_S, call.timeLimitS);
  const ended: Call = { ...call, status, durationS, updatedMs: nowMs };
  const isFree = isUnanswered(status) && delivery.price === undefined;
  const price = isFree ? null : priceOf(delivery, costOfCall(ended).microUsd);
  account.calls.set(call.sid, { ...ended, price });
  return true;
}

/** The status asked for; without one the status it has reached, else the usual end. Undefined for one of another kind. */
function statusOf<T extends string>(
  statuses: readonly T[],
  asked: string | undefined,
  reached: T,
  usual: T,
): T | undefined {
  if (asked !== undefined) return statuses.find((status) => status === asked);
  return statuses.includes(reached) ? reached : usual;
}

function priceOf({ price, priceUnit }: Delivery, costMicroUsd: number | null): Price | null {
  if (price === null) return null;
  return { text: price ?? priceText(costMicroUsd ?? 0), unit: priceUnit };
}
