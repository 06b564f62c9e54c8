import type { Books } from "../domain/vendor.ts";
import { books as resend } from "./resend/books.ts";
import { books as stripe } from "./stripe/books.ts";
import { books as twilio } from "./twilio/books.ts";

/**
 * The books of vendors, for whoever looks up what became of a call. Apart from what a vendor declares: of all functions one
 * reads them, and each function reads all of its own code before its first answer.
 */
const BOOKS: Readonly<Record<string, Books>> = { stripe, twilio, resend };

/** The books of the vendor of this name, or null. */
export const booksOf = (vendor: string): Books | null => BOOKS[vendor] ?? null;
