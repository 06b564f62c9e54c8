/**
 * What can go wrong with a request:
 *
 * | kind           | executes | stored for its key | the client sees                        |
 * | -------------- | -------- | ------------------ | -------------------------------------- |
 * | `429`          | no       | no                 | 429, the vendor's rate limit           |
 * | `500_before`   | no       | as the vendor does | 500                                    |
 * | `500_after`    | yes      | as the vendor does | 500                                    |
 * | `hang`         | no       | no                 | nothing, until it gives up             |
 * | `hang_after`   | yes      | the real answer    | nothing, until it gives up             |
 * | `break_before` | no       | no                 | a closed connection                    |
 * | `break_after`  | yes      | the real answer    | a closed connection                    |
 * | `slow`         | yes      | the real answer    | the answer, `ms` late                  |
 *
 * Stripe stores its 500s: every retry with the key gets the same. Resend stores what it sent, so a retry after
 * `500_before` sends, and one after `500_after` gets the real answer. Twilio has no keys.
 *
 * A `slow` request executes at the end of its delay, whether or not the client still waits, and its key is in use
 * until then. One that hangs or breaks before never reached the idempotency layer: a retry meanwhile executes.
 * The two 500s befall only requests that would execute; the rest befall replays and refusals too.
 */
export const FAULT_KINDS = [
  "429",
  "500_before",
  "500_after",
  "hang",
  "hang_after",
  "break_before",
  "break_after",
  "slow",
] as const;

export type FaultKind = (typeof FAULT_KINDS)[number];

/** A fault that befalls one request. `ms` is the delay of `slow`. */
export interface Fault {
  readonly kind: FaultKind;
  readonly ms: number;
}

/** A standing order for faults. `times` counts down to 0; -1 never ends. Absent filters match every request. */
export interface FaultOrder extends Fault {
  readonly times: number;
  /** Any part of the path. */
  readonly path?: string;
  readonly method?: string;
  readonly idempotencyKey?: string;
}

export interface FaultedRequest {
  readonly method: string;
  readonly path: string;
  readonly idempotencyKey: string | null;
  /** Whether it would execute, rather than be refused or replayed. */
  readonly executes: boolean;
}

export interface FaultOrders {
  /** Orders that still stand, oldest first. */
  list(): readonly FaultOrder[];
  add(order: FaultOrder): void;
  clear(): void;
  /** The fault that befalls a request: the oldest order that matches, which it uses up by one. */
  take(request: FaultedRequest): Fault | null;
}

export function openFaultOrders(): FaultOrders {
  let orders: readonly FaultOrder[] = [];
  return {
    list: () => orders,
    add(order) {
      orders = [...orders, order];
    },
    clear() {
      orders = [];
    },
    take(request) {
      const taken = orders.find((order) => matches(order, request));
      if (taken === undefined) return null;
      const left = { ...taken, times: taken.times === -1 ? -1 : taken.times - 1 };
      orders = orders.map((order) => (order === taken ? left : order)).filter(({ times }) => times !== 0);
      return taken;
    },
  };
}

/**
 * Reads the JSON of `POST /faults`: `{"kind", "times"?, "path"?, "method"?, "ms"?, "idempotencyKey"?}`. Gives the
 * order, or a sentence that says what is wrong with it.
 */
export function readFaultOrder(json: unknown): FaultOrder | string {
  if (typeof json !== "object" || json === null) return "a fault is a JSON object";
  const fields = new Map<string, unknown>(Object.entries(json));
  const known = ["kind", "times", "path", "method", "ms", "idempotencyKey"];
  const unknown = [...fields.keys()].find((name) => !known.includes(name));
  if (unknown !== undefined) return `unknown field ${unknown}: a fault has ${known.join(", ")}`;

  const kind = faultKind(fields.get("kind"));
  if (kind === undefined) return `kind must be one of ${FAULT_KINDS.join(", ")}`;
  const times = fields.get("times") ?? 1;
  if (!isWhole(times) || times === 0 || times < -1)
    return "times must be a whole number above 0, or -1 for ever";
  const ms = fields.get("ms") ?? DEFAULT_SLOW_MS;
  if (!isWhole(ms) || ms < 0) return "ms must be a whole number of milliseconds";

  const filters: Record<string, string> = {};
  for (const name of ["path", "method", "idempotencyKey"]) {
    const value = fields.get(name);
    if (value === undefined) continue;
    if (typeof value !== "string") return `${name} must be a string`;
    filters[name] = value;
  }
  return { kind, times, ms, ...filters };
}

export const DEFAULT_SLOW_MS = 1000;

/** The kind of that name, or undefined. */
export const faultKind = (name: unknown): FaultKind | undefined =>
  FAULT_KINDS.find((candidate) => candidate === name);

/** Whether a fault of this kind can befall the request. */
export function befalls({ kind }: Fault, { executes }: FaultedRequest): boolean {
  return executes || (kind !== "500_before" && kind !== "500_after");
}

function matches(order: FaultOrder, request: FaultedRequest): boolean {
  return (
    befalls(order, request) &&
    (order.path === undefined || request.path.includes(order.path)) &&
    (order.method === undefined || order.method.toUpperCase() === request.method) &&
    (order.idempotencyKey === undefined || order.idempotencyKey === request.idempotencyKey)
  );
}

function isWhole(value: unknown): value is number {
  return Number.isInteger(value);
}
