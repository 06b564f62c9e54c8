import type { Command, Sent } from "./sent.ts";

/**
 * What the vendor itself knows of money: its objects, and which requests made and changed each. Amounts in USD cents.
 *
 * Written from Stripe's documentation, without a line of the product: the books that promises are checked against.
 */
export interface VendorObject {
  readonly id: string;
  readonly kind: "charge" | "refund" | "payment_intent" | "message";
  amount: number;
  /** The part of the amount that the shop's own backend has raised it by, and nobody has acted on yet. */
  raisedElsewhere: number;
  received: number;
  status: "requires_payment_method" | "requires_capture" | "succeeded" | "canceled";
  manualCapture: boolean;
  /** Whoever has the client secret of an accepted intent can have it paid, so its amount is committed. */
  committed: boolean;
  /** The requests that were executed on it. */
  readonly touchedBy: Sent[];
  /** The requests that got a replay of one of these: their calls may have paid for it. */
  readonly replayedTo: Sent[];
  /** What a message costs; null for all that costs its amount. */
  readonly late: LateTerms | null;
}

/** The price of a message as it turns out. USD cents, and milliseconds. */
export interface LateTerms {
  /** What is said at once, at most what was asked for. */
  readonly estimate: number;
  /** What is said later; it may be anything. */
  readonly final: number;
  /** Infinity where it is never said. */
  readonly toldFromMs: number;
  readonly endedAtMs: number;
  /** Somebody was told. */
  isTold: boolean;
}

export interface Executed {
  readonly status: number;
  readonly body: unknown;
  /** A 4xx that was given before execution is not stored under the idempotency key. */
  readonly stored: boolean;
}

const CREATED = {
  charges: "charge",
  refunds: "refund",
  payment_intents: "payment_intent",
  messages: "message",
} as const;
const ID_BEGINS = { charge: "ch", refund: "re", payment_intent: "pi", message: "msg" } as const;
const VERBS = ["confirm", "capture", "cancel", "increment_authorization"] as const;

/** Reads a request as the vendor does. */
export function commandOf(method: string, target: string, form: URLSearchParams): Command {
  const [, , collection = "", objectId, verb] = target.split("/");
  const created = CREATED[collection as keyof typeof CREATED];
  if (method !== "POST" || created === undefined) return { kind: "free" };
  const amount = form.has("amount") ? Number(form.get("amount")) : null;
  if (objectId === undefined) return { kind: "create", object: created, amount: amount ?? 0 };
  return { kind: "change", objectId, verb: VERBS.find((name) => name === verb) ?? "update", amount };
}

/**
 * Money that an object has moved, or can still be made to move past the proxy. A message counts as what was said of it: what
 * it costs beyond its estimate is an overrun, by design.
 */
export const committedBy = (object: VendorObject): number => {
  if (object.late !== null) {
    const { estimate, final, isTold } = object.late;
    return isTold ? Math.min(estimate, final) : estimate;
  }
  if (object.kind !== "payment_intent") return object.amount;
  if (object.status === "succeeded" || object.status === "canceled") return object.received;
  return object.committed ? object.amount - object.raisedElsewhere : 0;
};

export class VendorBooks {
  readonly objects = new Map<string, VendorObject>();
  readonly #termsOf: (amount: number) => LateTerms;
  #ids = 0;

  /** `termsOf`: what a message costs that may cost so much. */
  constructor(termsOf: (amount: number) => LateTerms) {
    this.#termsOf = termsOf;
  }

  intents(): readonly VendorObject[] {
    return [...this.objects.values()].filter(({ kind }) => kind === "payment_intent");
  }

  /** An object as a GET shows it at `nowMs`; null where there is none. Whoever sees the price of a message is told. */
  show(objectId: string, nowMs: number): unknown {
    const object = this.objects.get(objectId);
    if (object === undefined) return null;
    const { late } = object;
    if (late === null) return shown(object);
    if (late.toldFromMs <= nowMs) late.isTold = true;
    const price = late.isTold ? late.final : null;
    const status = late.toldFromMs === Infinity ? "ended" : "under_way";
    return { ...shown(object), price, status, ended_ms: late.endedAtMs };
  }

  /** Runs a command. `declined`: the bank says no, where a bank is asked. */
  execute(command: Command, form: URLSearchParams, sent: Sent, declined: boolean): Executed {
    if (command.kind === "free") return accepted({ object: "list", data: [] });
    if (command.kind === "create") return this.#create(command, form, sent, declined);
    const object = this.objects.get(command.objectId);
    if (object === undefined) return refused(404, "resource_missing", false);
    return this.#change(object, command, sent, declined);
  }

  #create(
    { object: kind, amount }: Command & { readonly kind: "create" },
    form: URLSearchParams,
    sent: Sent,
    declined: boolean,
  ): Executed {
    const asksBank = kind !== "payment_intent" || form.get("confirm") === "true";
    const isIntent = kind === "payment_intent";
    const manualCapture = form.get("capture_method") === "manual";
    const object: VendorObject = {
      id: `${ID_BEGINS[kind]}_${++this.#ids}`,
      kind,
      amount,
      raisedElsewhere: 0,
      received: 0,
      status: "requires_payment_method",
      manualCapture,
      committed: false,
      touchedBy: [sent],
      replayedTo: [],
      late: kind === "message" ? this.#termsOf(amount) : null,
    };
    if (asksBank && declined && !isIntent) return refused(402, "card_declined", true);
    this.objects.set(object.id, object);
    if (asksBank && declined) return refused(402, "card_declined", true, shown(object));
    object.committed = true;
    if (asksBank) pay(object);
    return accepted(shown(object));
  }

  #change(
    object: VendorObject,
    { verb, amount }: Command & { readonly kind: "change" },
    sent: Sent,
    declined: boolean,
  ): Executed {
    const unexpected = refused(400, "payment_intent_unexpected_state", false);
    switch (verb) {
      case "update":
        if (amount !== null && object.status !== "requires_payment_method") return unexpected;
        if (amount !== null) this.#raise(object, amount, sent);
        break;
      case "confirm":
        if (object.status !== "requires_payment_method") return unexpected;
        if (declined) return refused(402, "card_declined", true, shown(object));
        this.#raise(object, object.amount, sent);
        pay(object);
        break;
      case "capture":
        if (object.status !== "requires_capture") return unexpected;
        this.#raise(object, object.amount, sent);
        object.received = object.amount;
        object.status = "succeeded";
        break;
      case "increment_authorization":
        if (object.status !== "requires_capture" || (amount ?? 0) <= object.amount) return unexpected;
        if (declined) return refused(402, "card_declined", true, shown(object));
        this.#raise(object, amount ?? 0, sent);
        break;
      case "cancel":
        if (object.status === "succeeded" || object.status === "canceled") return unexpected;
        object.status = "canceled";
        break;
    }
    return accepted(shown(object));
  }

  /** The shop raises an open intent past the proxy: whoever acts on it next moves all of it. */
  raiseElsewhere(object: VendorObject, by: number): void {
    object.amount += by;
    object.raisedElsewhere += by;
  }

  #raise(object: VendorObject, amount: number, sent: Sent): void {
    object.amount = amount;
    object.raisedElsewhere = 0;
    object.committed = true;
    object.touchedBy.push(sent);
  }
}

function pay(object: VendorObject): void {
  object.status = object.manualCapture ? "requires_capture" : "succeeded";
  object.received = object.manualCapture ? 0 : object.amount;
}

const shown = ({ id, kind, amount, received, status, late }: VendorObject) => ({
  id,
  object: kind,
  amount,
  amount_received: received,
  currency: "usd",
  status: kind === "payment_intent" ? status : "succeeded",
  ...(late === null ? {} : { estimate: late.estimate }),
});

const accepted = (body: unknown): Executed => ({ status: 200, body, stored: true });

const refused = (status: number, code: string, stored: boolean, intent?: unknown): Executed => ({
  status,
  body: { error: { code, ...(intent === undefined ? {} : { payment_intent: intent }) } },
  stored,
});
