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
  readonly query: Readonly<Record<string, readonly string[]>>;
  /** Beside the credential, such as the account that is asked about. */
  readonly headers: Readonly<Record<string, string>>;
}
