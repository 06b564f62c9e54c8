import type { Account, Charge, Counted, Origin, Stored, StoredPaymentIntent } from "./account.ts";
import { type Accounts, isAccount } from "./accounts.ts";

export interface Sum {
  readonly count: number;
  readonly cents: number;
}

export type EntryKind =
  | "payment_intent"
  | "charge"
  | "refund"
  | "payout"
  | "transfer"
  | "topup"
  | "fee_refund"
  | "invoice"
  | "credit_note"
  | "dispute"
  | "customer_credit";

export interface BooksEntry {
  readonly id: string;
  readonly kind: EntryKind;
  readonly amount: number;
  readonly currency: string;
  readonly status: string;
  readonly idempotency_key: string | null;
  readonly created_ms: number;
  /** What the entry adds to `charged`, in the minor unit of its currency. */
  readonly charged_amount: number;
  /** What the entry adds to the sum of its kind, and so to what was spent; likewise. */
  readonly spent_amount: number;
}

/** The wire of `GET /books`; `vendorBooks` says what the sums mean. */
export interface Books {
  readonly object: "books";
  readonly currency: "usd";
  readonly charged: Sum;
  readonly committed: Sum;
  readonly refunded: Sum;
  readonly paid_out: Sum;
  readonly transferred: Sum;
  readonly topped_up: Sum;
  readonly fees_refunded: Sum;
  readonly invoiced: Sum;
  readonly credited: Sum;
  readonly conceded: Sum;
  readonly credit_given: Sum;
  readonly spent_cents: number;
  readonly spent_by_currency: Readonly<Record<string, number>>;
  readonly made: Readonly<Record<string, number>>;
  readonly entries: readonly BooksEntry[];
}

/**
 * What the account's holder has spent and stands to spend, from the objects as they are now. Tests hold it against the
 * proxy's own balance: with every outcome known, `spent_cents` is what the proxy has settled.
 *
 * - `charged`: money really taken or held on a card. Of a payment intent `amount_received` + `amount_capturable`; of a
 *   direct charge that was paid what it captured, or all of it while it is only held. A held charge that was released
 *   counts nothing. Refunds do not lessen it. What pays an invoice is in `invoiced` alone.
 * - `committed`: what was let through, whether or not money has moved yet, since whoever has an intent's client
 *   secret can still pay it. Of an intent its current `amount`, also after a capture of less. Not of one that was
 *   cancelled (what it had received stays, though), nor of one whose create was declined and that no confirmation has
 *   paid since. A decline at a later confirmation changes nothing. Of a direct charge its amount, unless it failed;
 *   also while only held, after a capture of less, and after it was given back.
 * - `refunded`: money given back, which is spent too and is no credit: it does not lessen the others. A refund that
 *   failed counts nothing, one that is pending all of it. The refund of a credit note is in `credited` alone.
 * - `paid_out`: payouts, unless they were cancelled or failed. A payout that was reversed still counts, as what was
 *   refunded does; the reversal counts nothing.
 * - `transferred`: transfers, whole, also after a reversal.
 * - `topped_up`: top-ups, unless they were cancelled or failed. They pull money in from the holder's bank: it moved.
 * - `fees_refunded`: application fees given back.
 * - `invoiced`: what charges made through this API took for invoices. Nothing of an invoice that is open, void or
 *   uncollectible, or that was paid out of band or elsewhere.
 * - `credited`: the `refund_amount` of credit notes. What they leave to later invoices or settle out of band moves nothing.
 * - `conceded`: disputes closed through this API. What the bank decides counts nothing.
 * - `credit_given`: what was taken off customers' balances, which later invoices would draw on.
 * - `spent_by_currency`: all of these but `charged`, in the minor unit of each currency that anything was spent in.
 * - `spent_cents`: that of USD, or 0. With payments and refunds alone it is committed + refunded.
 * - `made`: how many objects of each other kind were made, also if they were deleted since: products, prices, files,
 *   setup intents. They move no money.
 *
 * `count` counts entries that add more than 0. The sums are of USD only; entries are in every currency, oldest first
 * within their kind. Charges that belong to an intent or an invoice are not entries. An object that was made elsewhere
 * (elsewhere.ts) becomes one once something is done with it here: an intent that is confirmed or given another amount or
 * currency counts whole, one that is only captured, and a charge, what was captured. Nothing is cached: an execution
 * changes the account in one go between two requests, so a reader sees all of it or none.
 */
function vendorBooks(account: Account): Books {
  const entries = entriesOf(account);
  const usd = entries.filter(({ currency }) => currency === "usd");
  const spentOn = (...kinds: readonly EntryKind[]): Sum =>
    sumOf(usd.filter(({ kind }) => kinds.includes(kind)).map(({ spent_amount }) => spent_amount));
  const spent = spentByCurrency(entries);
  return {
    object: "books",
    currency: "usd",
    charged: sumOf(usd.map(({ charged_amount }) => charged_amount)),
    committed: spentOn("payment_intent", "charge"),
    refunded: spentOn("refund"),
    paid_out: spentOn("payout"),
    transferred: spentOn("transfer"),
    topped_up: spentOn("topup"),
    fees_refunded: spentOn("fee_refund"),
    invoiced: spentOn("invoice"),
    credited: spentOn("credit_note"),
    conceded: spentOn("dispute"),
    credit_given: spentOn("customer_credit"),
    spent_cents: spent["usd"] ?? 0,
    spent_by_currency: spent,
    made: Object.fromEntries(account.made),
    entries,
  };
}

/** The books of the platform's account, or of the one that the query names; a sentence where it names none. */
export function booksOf(accounts: Accounts, query: URLSearchParams): Books | string {
  const id = query.get("account");
  if (id !== null && !isAccount(id)) return `account must be an acct_… id, got ${id}`;
  return vendorBooks(accounts.of(id).account);
}

function entriesOf(account: Account): readonly BooksEntry[] {
  const isCounted = ({ counted }: { counted: Counted }) => counted !== "nothing";
  return [
    ...[...account.paymentIntents.values()].filter(isCounted).map((stored) => {
      const { object, origin, counted } = stored;
      const held = counted === "captured" ? 0 : object.amount_capturable;
      return entryOf("payment_intent", object, origin, committedBy(stored), object.amount_received + held);
    }),
    ...[...account.charges.values()]
      .filter((stored) => stored.object.payment_intent === null && stored.invoice === null)
      .filter(isCounted)
      .map(({ object, origin, counted }) => {
        const committed = counted === "captured" ? object.amount_captured : object.amount;
        return entryOf("charge", object, origin, object.paid ? committed : 0, chargedBy(object));
      }),
    ...[...account.refunds.values()]
      .filter(({ ofCreditNote }) => !ofCreditNote)
      .map(({ object, origin }) =>
        entryOf("refund", object, origin, object.status === "failed" ? 0 : object.amount),
      ),
    ...[...account.payouts.values()].map(({ object, origin }) =>
      entryOf("payout", object, origin, hasLeft(object.status) ? Math.max(0, object.amount) : 0),
    ),
    ...whole("transfer", account.transfers.values()),
    ...[...account.topups.values()].map(({ object, origin }) =>
      entryOf("topup", object, origin, hasLeft(object.status) ? object.amount : 0),
    ),
    ...whole("fee_refund", account.feeRefunds.values()),
    ...[...account.invoices.values()]
      .filter(({ origin, collected }) => !origin.elsewhere || collected > 0)
      .map(({ object, origin, collected }) =>
        entryOf("invoice", { ...object, amount: object.total }, origin, collected),
      ),
    ...[...account.creditNotes.values()].map(({ object, origin, refundAmount }) =>
      entryOf("credit_note", object, origin, refundAmount),
    ),
    ...[...account.disputes.values()]
      .filter(({ conceded }) => conceded)
      .map(({ object, origin }) => entryOf("dispute", object, origin, object.amount)),
    ...[...account.balanceTransactions.values()].map(({ object, origin }) =>
      entryOf("customer_credit", { ...object, status: "posted" }, origin, Math.max(0, -object.amount)),
    ),
  ];
}

function committedBy({ object, counted, declinedAtCreate }: StoredPaymentIntent): number {
  if (declinedAtCreate) return 0;
  return counted === "captured" || object.status === "canceled" ? object.amount_received : object.amount;
}

function chargedBy({ amount, amount_captured, captured, paid, refunded }: Charge): number {
  if (captured) return amount_captured;
  return paid && !refunded ? amount : 0;
}

const hasLeft = (status: string): boolean => status !== "canceled" && status !== "failed";

/** Entries of a kind that counts whole, whatever becomes of it. */
const whole = (
  kind: EntryKind,
  stored: Iterable<Stored<{ readonly id: string; readonly amount: number; readonly currency: string }>>,
): BooksEntry[] =>
  [...stored].map(({ object, origin }) =>
    entryOf(kind, { ...object, status: "succeeded" }, origin, object.amount),
  );

/** An entry that spends `spent` and, where a card was charged for it directly, charges `charged`. */
function entryOf(
  kind: EntryKind,
  object: { id: string; amount: number; currency: string; status: string },
  origin: Origin,
  spent: number,
  charged = 0,
): BooksEntry {
  return {
    id: object.id,
    kind,
    amount: object.amount,
    currency: object.currency,
    status: object.status,
    idempotency_key: origin.idempotencyKey,
    created_ms: origin.createdMs,
    charged_amount: charged,
    spent_amount: spent,
  };
}

function spentByCurrency(entries: readonly BooksEntry[]): Readonly<Record<string, number>> {
  const sums = new Map<string, number>();
  for (const { currency, spent_amount } of entries) {
    if (spent_amount > 0) sums.set(currency, (sums.get(currency) ?? 0) + spent_amount);
  }
  return Object.fromEntries(sums);
}

function sumOf(amounts: readonly number[]): Sum {
  const counted = amounts.filter((amount) => amount > 0);
  return { count: counted.length, cents: counted.reduce((sum, amount) => sum + amount, 0) };
}
