import type { Account, Charge, Origin, StoredPaymentIntent } from "./account.ts";

export interface Sum {
  readonly count: number;
  readonly cents: number;
}

export interface BooksEntry {
  readonly id: string;
  readonly kind: "payment_intent" | "charge" | "refund";
  readonly amount: number;
  readonly currency: string;
  readonly status: string;
  readonly idempotency_key: string | null;
  readonly created_ms: number;
  /** What the entry adds to `charged`, in the minor unit of its currency. */
  readonly charged_amount: number;
  /** What the entry adds to `committed` or, a refund, to `refunded`; likewise. */
  readonly spent_amount: number;
}

/** The wire of `GET /books`; `vendorBooks` says what the sums mean. */
export interface Books {
  readonly object: "books";
  readonly currency: "usd";
  readonly charged: Sum;
  readonly committed: Sum;
  readonly refunded: Sum;
  readonly spent_cents: number;
  readonly entries: readonly BooksEntry[];
}

/**
 * What the account's holder has spent and stands to spend, from the objects as they are now. Tests hold it against the
 * proxy's own balance: with every outcome known, `spent_cents` is what the proxy has settled.
 *
 * - `charged`: money really taken or held on a card. Of a payment intent `amount_received` + `amount_capturable`; of a
 *   direct charge that was paid what it captured, or all of it while it is only held. A held charge that was released
 *   counts nothing. Refunds do not lessen it.
 * - `committed`: what was let through, whether or not money has moved yet, since whoever has an intent's client
 *   secret can still pay it. Of an intent its current `amount`, also after a capture of less. Not of one that was
 *   cancelled (what it had received stays, though), nor of one whose create was declined and that no confirmation has
 *   paid since. A decline at a later confirmation changes nothing. Of a direct charge its amount, unless it failed;
 *   also while only held, after a capture of less, and after it was given back.
 * - `refunded`: money given back, which is spent too and is no credit: it does not lessen the others.
 * - `spent_cents`: committed + refunded.
 *
 * `count` counts entries that add more than 0. The sums are of USD only; entries are in every currency, oldest first
 * within their kind. Charges that belong to an intent are not entries. Nothing is cached: an execution changes the
 * account in one go between two requests, so a reader sees all of it or none.
 */
export function vendorBooks({ paymentIntents, charges, refunds }: Account): Books {
  const intentEntries = [...paymentIntents.values()].map((stored) => {
    const { object, origin } = stored;
    const charged = object.amount_received + object.amount_capturable;
    return entryOf("payment_intent", object, origin, charged, committedBy(stored));
  });
  const chargeEntries = [...charges.values()]
    .filter(({ object }) => object.payment_intent === null)
    .map(({ object, origin }) =>
      entryOf("charge", object, origin, chargedBy(object), object.paid ? object.amount : 0),
    );
  const refundEntries = [...refunds.values()].map(({ object, origin }) =>
    entryOf("refund", object, origin, 0, object.amount),
  );

  const committing = [...intentEntries, ...chargeEntries];
  const committed = sumOf(committing.filter(inUsd).map(({ spent_amount }) => spent_amount));
  const refunded = sumOf(refundEntries.filter(inUsd).map(({ spent_amount }) => spent_amount));
  return {
    object: "books",
    currency: "usd",
    charged: sumOf(committing.filter(inUsd).map(({ charged_amount }) => charged_amount)),
    committed,
    refunded,
    spent_cents: committed.cents + refunded.cents,
    entries: [...committing, ...refundEntries],
  };
}

function committedBy({ object, declinedAtCreate }: StoredPaymentIntent): number {
  if (declinedAtCreate) return 0;
  return object.status === "canceled" ? object.amount_received : object.amount;
}

function chargedBy({ amount, amount_captured, captured, paid, refunded }: Charge): number {
  if (captured) return amount_captured;
  return paid && !refunded ? amount : 0;
}

function entryOf(
  kind: BooksEntry["kind"],
  object: { id: string; amount: number; currency: string; status: string },
  origin: Origin,
  charged: number,
  spent: number,
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

function sumOf(amounts: readonly number[]): Sum {
  const counted = amounts.filter((amount) => amount > 0);
  return { count: counted.length, cents: counted.reduce((sum, amount) => sum + amount, 0) };
}

const inUsd = ({ currency }: BooksEntry): boolean => currency === "usd";
