import type { Account, Email } from "./account.ts";
import { isScheduled } from "./account.ts";
import { recipientsOf } from "./email-fields.ts";

/** 0.90 USD per 1,000 (resend.com/changelog/pay-as-you-go-pricing, read 2026-11-22). */
const EMAIL_MICRO_USD = 900;

export interface BooksEntry {
  readonly id: string;
  readonly kind: "email";
  /** The recipients in the order to, cc, bcc. */
  readonly to: readonly string[];
  readonly count: number;
  readonly cost_micro_usd: number;
  /** False while it waits for its time, since it can still be cancelled. */
  readonly final: boolean;
  readonly created_ms: number;
  readonly status: "sent" | "scheduled" | "canceled";
  readonly idempotency_key: string | null;
}

/** The wire of `GET /books`. */
export interface Books {
  readonly object: "books";
  readonly spent_micro_usd: number;
  readonly entries: readonly BooksEntry[];
}

/**
 * What the account's holder has spent and stands to spend, in millionths of a dollar. Each recipient counts as one
 * e-mail. One that is scheduled counts in full; one that was cancelled in time counts nothing. A replay sends nothing,
 * so it is no entry. Oldest first.
 */
export function vendorBooks(account: Account): Books {
  const nowMs = account.nowMs();
  const entries = [...account.emails.values()].map((email) => emailEntry(email, nowMs));
  return {
    object: "books",
    spent_micro_usd: entries.reduce((sum, { cost_micro_usd }) => sum + cost_micro_usd, 0),
    entries,
  };
}

function emailEntry(email: Email, nowMs: number): BooksEntry {
  const scheduled = isScheduled(email, nowMs);
  const count = email.canceled ? 0 : recipientsOf(email);
  return {
    id: email.id,
    kind: "email",
    to: [...email.to, ...email.cc, ...email.bcc],
    count,
    cost_micro_usd: count * EMAIL_MICRO_USD,
    final: !scheduled,
    created_ms: email.createdMs,
    status: email.canceled ? "canceled" : scheduled ? "scheduled" : "sent",
    idempotency_key: email.idempotencyKey,
  };
}
