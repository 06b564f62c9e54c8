import type { BooksPage, BooksQuestion, Sought } from "./books.ts";
import type { LatePrice } from "./call/late-price.ts";
import type { CallLimits } from "./call-limits.ts";
import type { CountedObject } from "./counted-object.ts";
import type { MicroUsd } from "./money.ts";
import type { Problem } from "./problem.ts";
import type { RateCard } from "./rate-card.ts";
import type { VendorManifest } from "./vendor-manifest.ts";

/**
 * What an adapter must declare: a vendor is data plus small pure functions. An endpoint that its catalog does not list
 * has no price and is refused.
 */
export interface Vendor extends VendorManifest {
  /** Scheme and host by the name of the host; `main` is where most calls go. */
  readonly origins: Readonly<Record<string, string>> & { readonly main: string };
  /** Headers that carry the credential to the vendor, or null for a value that cannot be one. */
  readonly authorize: (secret: string) => Readonly<Record<string, string>> | null;
  /** Query parameters that carry the credential, for a vendor that takes it there; null for the others. */
  readonly authorizeQuery: ((secret: string) => Readonly<Record<string, string>>) | null;
  /**
   * Where clients of the vendor put their credential, if not where every vault key is looked for; null for the others. So
   * a vault key is found there, and a query is without it from then on.
   */
  readonly keyIn: ((sent: Pick<VendorRequest, "headers" | "query">) => KeyInRequest) | null;
  /** The parts of a credential that are secret, each as it could stand in an answer. */
  readonly secretsOf: (secret: string) => readonly string[];
  /** The path as allowlists and the catalog name it, where there are several ways to write it here. */
  readonly catalogPath: (path: string) => string;
  /** Where a call with this catalog path goes, in the name of the credential; or why it may not. */
  readonly address: (call: Pick<VendorRequest, "method" | "path">, secret: string) => Address | Problem;
  /** Lower-case names of the request headers that are sent to the vendor. No other header is sent. */
  readonly forwardedHeaders: readonly string[];
  /** Those of them that name the account: with another account it is another call. */
  readonly accountHeaders: readonly string[];
  /** Lower-case name of the idempotency header, by which an endpoint recognises a repeated call. */
  readonly idempotencyHeader: string;
  /** Why the headers of a request are refused, or null. */
  readonly refuseHeaders: (headers: Headers, limits: CallLimits) => Problem | null;
  /** What `{name}` matches in the catalog's paths. */
  readonly placeholders: Readonly<Record<string, RegExp>>;
  readonly catalog: readonly Endpoint[];
  /** Prefixes of the catalog's paths that are easily left out, as an allowlist writes them. */
  readonly prefixes: readonly string[];
  /** The limits inside a call that a key of this vendor may have, by their names on the wire. */
  readonly limits: readonly LimitName[];
  /** How an entry of `allowed_accounts` is written; null where a key has no such limit. */
  readonly accounts: { readonly accepted: string; readonly isEntry: (entry: string) => boolean } | null;
  /** How an entry of `allowed_recipients` is written, and whom it lets through. */
  readonly recipients: {
    readonly accepted: string;
    readonly isEntry: (entry: string) => boolean;
    readonly allows: (entry: string, recipient: string) => boolean;
  };
  /** Whether an answer to a GET of this catalog path is about the object that the path names. */
  readonly isAbout: (path: string, found: Json) => boolean;
  /** The id under which the vendor's support finds a request, from the answer's headers. */
  readonly requestId: (headers: Headers) => string | null;
  /** Lower-case names of headers of an answer that no caller sees. */
  readonly withheldHeaders: readonly string[];
  /** Rewrites the links of an answer that clients follow, so that they lead here; null where the vendor sends none. */
  readonly rewriteLinks: ((body: string, baseUrl: string) => string) | null;
  /** How the final price of an estimated call is found out; null where `tellsPricesLate` is false. */
  readonly latePrices: LatePrices | null;
  /**
   * What to keep of a request so that it is found in the vendor's books (lambda/vendors/books.ts), should its outcome stay
   * unknown: null where that is not enough to find it, or where there are no books.
   */
  readonly soughtOf: (request: VendorRequest, quote: Quote) => Sought | null;
}

/** What stands in the place of a credential, or null, and the query without it. */
export interface KeyInRequest {
  readonly token: string | null;
  readonly query: VendorRequest["query"];
}

export interface LatePrices {
  /** Catalog path of the GET that shows the price of the object that a call created. */
  readonly lookup: (objectId: string) => string;
  /** The final price as of `nowMs`, or why there is none yet. */
  readonly read: (found: Json, rateCard: RateCard, nowMs: number) => LatePrice;
}

/**
 * How a vendor's books are read: by lists, with the real credential, and never by sending anything again. Pure functions.
 *
 * What is found settles. What is not found says nothing, since a list may lag, or lack what was executed.
 */
export interface Books {
  /** How far back they tell, in milliseconds. */
  readonly keptMs: number;
  /** The next page, where `after` is the name that the last one gave; null where the attempt cannot be looked up. */
  readonly page: (question: BooksQuestion, after: string | null) => BooksPage | null;
  /** The entries of a page, and the name of what follows; null where nothing that matters does. */
  readonly read: (page: Json, question: BooksQuestion) => BooksEntries;
  /** Whether an entry is what the attempt may have caused. */
  readonly isMatch: (entry: Json, question: BooksQuestion) => boolean;
  /**
   * The id of what a matching entry shows, where that can be on the record of one call only and it is not certain that
   * it is of this one; null where it is certain.
   */
  readonly guessedId: (entry: Json, question: BooksQuestion) => string | null;
  /** The answer that the vendor must have given, by all that matches; null where that is not certain. */
  readonly answer: (matches: readonly Json[], question: BooksQuestion) => VendorAnswer | null;
  /** What the quote of the attempt had beside what its row says. */
  readonly quote: (sought: Sought) => Partial<Quote>;
}

export interface BooksEntries {
  readonly entries: readonly Json[];
  readonly next: string | null;
}

export type LimitName = "allowed_accounts" | "allowed_currencies" | "allowed_recipients" | "max_recipients";

/** Host by its name in `origins`, and the path there. */
export interface Address {
  readonly host: string;
  readonly path: string;
  /** The path at an origin that stands in for all of the vendor's hosts. */
  readonly standInPath: string;
}

/** Lower-case header name to its values, in order. */
export type Headers = Readonly<Record<string, readonly string[]>>;

/**
 * One entry of a catalog. `path`: segments, `{name}` for one that the vendor's placeholders describe; `/**` at the end
 * of a denied one stands for everything below. `ANY` is every method.
 */
export interface Endpoint {
  readonly method: string;
  readonly path: string;
  readonly rule: FreeRule | PricedRule | DeniedRule;
}

/** Costs nothing; `check` refuses the fields that would. */
export interface FreeRule {
  readonly kind: "free";
  readonly check: (request: VendorRequest, limits: CallLimits) => Problem | null;
}

export interface DeniedRule {
  readonly kind: "denied";
  /**
   * Completes "it is not callable with a vault key: …"; null where no reason is known, as for a path that no entry
   * names.
   */
  readonly reason: string | null;
}

/** Moves or commits money: `quote` bounds it before the call, `read` finds it in the answer. */
export interface PricedRule {
  readonly kind: "priced";
  readonly idempotency: Idempotency | null;
  /** The id of the object that the quote asks about: what the key's root has counted for it is read first. */
  readonly objectOf?: (request: VendorRequest) => string | null;
  /**
   * The path of the lookup for what the request does not say, or null where the request says everything. What is
   * counted for an object does not show what it is now, because others may have changed it. `needsRecipient`: the key's
   * limits need the recipient of the call.
   */
  readonly lookup?: (request: VendorRequest, needsRecipient: boolean) => string | null;
  readonly quote: (request: VendorRequest, known: Known) => Quote | Problem;
  /** A price below the quote is believed only where the answer is about what `request` asked for. */
  readonly read: (answer: VendorAnswer, quote: Quote, known: Known, request: VendorRequest) => VendorOutcome;
}

/** What is known beside the request. */
export interface Known {
  readonly object: CountedObject | null;
  /** What the lookup found; null where none was made. */
  readonly found: Json | null;
  readonly rateCard: RateCard;
  readonly limits: CallLimits;
}

/** A JSON object as a vendor answers it. */
export type Json = { readonly [field: string]: unknown };

/** How the endpoint honours the header that the vendor's `idempotencyHeader` names. */
export interface Idempotency {
  /** How long the vendor replays, in milliseconds. */
  readonly windowMs: number;
  /** Runs failed work again instead of replaying the failure. */
  readonly rerunsFailures: boolean;
}

/** A request as the vendor will parse it. */
export interface VendorRequest {
  readonly method: string;
  /** As the catalog names it, its escapes read. */
  readonly path: string;
  /** The same as the caller wrote it, where it has escapes: so it is forwarded. */
  readonly sentPath?: string;
  readonly query: Readonly<Record<string, readonly string[]>>;
  readonly headers: Headers;
  readonly body: Uint8Array;
}

/** `body`: decoded, and empty where it cannot be. */
export interface VendorAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Uint8Array;
}

/** An upper bound of what the call can cost. */
export interface Quote {
  readonly amount: MicroUsd;
  /** Amount and currency (lower case) as the request says them. */
  readonly amountText: string | null;
  readonly currency: string | null;
  /** US dollars for one unit of that currency, where it is another one. */
  readonly fxRate: number | null;
  /** The recipients, each as often as it is reached; null where they are unknown. */
  readonly recipients: readonly string[] | null;
  /** Why it is more than the request says, for a person; null where it is not. */
  readonly explanation: string | null;
  /** What each part costs, in the order of the request, where the vendor may execute some of them only. */
  readonly parts?: readonly MicroUsd[];
  /**
   * How many counted units the quote has, such as segments of a message, where the answer says how many there were.
   */
  readonly count?: number;
  /** Extras have a price that no answer names, so the quote stays the price. */
  readonly isFinal?: boolean;
  /** The vendor can no longer execute it: it refuses the call, or replays an earlier answer. */
  readonly isOver?: boolean;
}

/** What an answer of the vendor says about the money. */
export interface VendorOutcome {
  readonly kind: "executed" | "declined" | "refused" | "unknown";
  /** What the call cost; only of `executed`. */
  readonly price: MicroUsd;
  /** The vendor gives the final price later: until then `price` is an upper bound. */
  readonly isEstimate: boolean;
  readonly replayed: boolean;
  readonly objectId: string | null;
  readonly customerId: string | null;
  readonly amountText: string | null;
  readonly currency: string | null;
  readonly fxRate: number | null;
  /** The object to remember as counted, with its amount now; also for a declined creation. */
  readonly counts: CountedAs | null;
  /** The object ended without ever moving money: what was counted for it goes back. */
  readonly uncountsObject: boolean;
}

/** The amount of an object: smallest units of a currency, and what they are worth. */
export interface CountedAs {
  readonly objectId: string;
  readonly units: bigint;
  readonly currency: string;
  readonly total: MicroUsd;
}
