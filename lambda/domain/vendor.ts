import type { CountedObject } from "./counted-object.ts";
import type { Problem, ProblemCode } from "./denial.ts";
import type { MicroUsd } from "./money.ts";

/**
 * What an adapter must declare: a vendor is data plus small pure functions. An endpoint that its catalog does not list
 * has no price and is refused.
 */
export interface Vendor {
  readonly name: string;
  /** Scheme and host that calls are sent to. */
  readonly origin: string;
  /** Headers that carry the credential to the vendor. */
  readonly authorize: (secret: string) => Readonly<Record<string, string>>;
  /** Lower-case names of request headers that reach the vendor. Whatever is not listed stays here. */
  readonly forwardedHeaders: readonly string[];
  /** Why the headers of a request are refused, or null. */
  readonly refuseHeaders: (headers: Headers) => Problem | null;
  readonly catalog: readonly Endpoint[];
  /** An answer of ours in the shape that makes the vendor's SDK raise its natural exception. */
  readonly denial: (denial: DenialFacts) => {
    readonly headers: Readonly<Record<string, string>>;
    readonly body: string;
  };
  /** The id under which the vendor's support finds a request, from the answer's headers. */
  readonly requestId: (headers: Headers) => string | null;
}

/** Lower-case header name to its values, in order. */
export type Headers = Readonly<Record<string, readonly string[]>>;

export interface DenialFacts {
  readonly status: number;
  readonly code: ProblemCode;
  readonly message: string;
  readonly requestId: string;
  readonly charged: string;
  readonly details: Readonly<Record<string, unknown>>;
}

/** One entry of a catalog. `path`: segments, `{id}` for one that names an object. */
export interface Endpoint {
  readonly method: string;
  readonly path: string;
  readonly rule: FreeRule | PricedRule | DeniedRule;
}

/** Costs nothing; `check` refuses the fields that would. */
export interface FreeRule {
  readonly kind: "free";
  readonly check: (request: VendorRequest) => Problem | null;
}

export interface DeniedRule {
  readonly kind: "denied";
  readonly reason: string;
}

/** Moves or commits money: `quote` bounds it before the call, `read` finds it in the answer. */
export interface PricedRule {
  readonly kind: "priced";
  readonly idempotency: Idempotency | null;
  /** The id of the object that the quote asks about: what the key's root has counted for it is read first. */
  readonly objectOf: (request: VendorRequest) => string | null;
  readonly quote: (request: VendorRequest, object: CountedObject | null) => Quote | Problem;
  readonly read: (answer: VendorAnswer, quote: Quote, object: CountedObject | null) => Reading;
}

/** How the endpoint honours the `Idempotency-Key` header. */
export interface Idempotency {
  /** How long the vendor replays, in milliseconds. */
  readonly windowMs: number;
  /** Runs failed work again instead of replaying the failure. */
  readonly rerunsFailures: boolean;
}

/** A request as the vendor will parse it. */
export interface VendorRequest {
  readonly method: string;
  readonly path: string;
  readonly query: Readonly<Record<string, readonly string[]>>;
  readonly headers: Headers;
  readonly body: Uint8Array;
}

export interface VendorAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Uint8Array;
}

/** An upper bound of what the call can cost. */
export interface Quote {
  readonly amount: MicroUsd;
  /** Amount and currency as the request says them. */
  readonly amountText: string | null;
  readonly currency: string | null;
  /** Why it is more than the request says, for a person; null where it is not. */
  readonly explanation: string | null;
}

/** What an answer says of the money. */
export interface Reading {
  readonly kind: "executed" | "declined" | "refused" | "unknown";
  /** What the call cost; only of `executed`. */
  readonly price: MicroUsd;
  readonly replayed: boolean;
  readonly objectId: string | null;
  readonly customerId: string | null;
  readonly amountText: string | null;
  readonly currency: string | null;
  /** The object to remember as counted, with the amount it is about now; also of a declined creation. */
  readonly counts: { readonly objectId: string; readonly total: MicroUsd } | null;
  /** The object ended without ever moving money: what was counted for it goes back. */
  readonly uncountsObject: boolean;
}
