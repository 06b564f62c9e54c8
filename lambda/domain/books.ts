import type { Json, Quote, VendorAnswer, VendorRequest } from "./vendor.ts";

/**
 * What an attempt keeps of its request, so that it can be found in the vendor's books: a few names, and no text of a body.
 * It is kept until the outcome is known.
 */
export type Sought = Readonly<Record<string, string>>;

/** An attempt whose outcome nobody knows. Times in milliseconds. */
export interface BooksQuestion {
  readonly method: string;
  /** As the catalog names it. */
  readonly path: string;
  readonly idempotencyKey: string | null;
  /** As the request said them. */
  readonly amountText: string | null;
  readonly currency: string | null;
  readonly sought: Sought;
  /** When the vendor can have executed it. */
  readonly fromMs: number;
  readonly toMs: number;
}

/** A GET that costs nothing. `path`: as the catalog names it. */
export interface BooksPage {
  readonly path: string;
  readonly query: VendorRequest["query"];
  /** Beside the credential, such as the account that is asked about. */
  readonly headers: Readonly<Record<string, string>>;
}

/**
 * How a vendor's books are read: by lists, with the real credential, and never by sending anything again. Pure functions.
 *
 * What is found settles. What is not found says nothing, since a list may lag, or lack what was executed.
 */
export interface Books {
  /** How far back they tell, in milliseconds. */
  readonly keptMs: number;
  /** What to keep of a request; null where that is not enough to find it. */
  readonly keep: (request: VendorRequest, quote: Quote) => Sought | null;
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
