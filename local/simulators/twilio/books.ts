import type { Account, Call, FixedCharge, Message, Price } from "./account.ts";
import { deliverDue } from "./delivery.ts";
import { type Cost, costOfCall, costOfMessage } from "./prices.ts";

export interface BooksEntry {
  readonly id: string;
  readonly kind: "message" | "call" | FixedCharge["kind"];
  readonly to: string;
  /** Segments, started minutes, codes, fields. */
  readonly count: number;
  /** What it costs, or while it is pending what it will; null where the price came in another currency. */
  readonly cost_micro_usd: number | null;
  /** Whether the cost can still change. */
  readonly final: boolean;
  readonly created_ms: number;
  readonly status: string | null;
  /** As the API tells it: null until it is known there. */
  readonly price: string | null;
  readonly price_unit: string | null;
}

/** The wire of `GET /books`. */
export interface Books {
  readonly object: "books";
  readonly spent_micro_usd: number;
  readonly entries: readonly BooksEntry[];
}

/**
 * What the account's holder has spent and stands to spend, in millionths of a dollar. A pending message or call counts
 * what it will cost if it ends as usual, long before the API tells its price; a call is taken for one of a minute. The
 * sum is of what is in dollars. Entries are oldest first within their kind: messages, calls, then all with fixed prices.
 */
export function vendorBooks(account: Account): Books {
  deliverDue(account);
  const messages = [...account.messages.values()].map((message) =>
    entryOf("message", message, costOfMessage(message)),
  );
  const calls = [...account.calls.values()].map((call) => entryOf("call", call, costOfCall(call)));
  const entries = [...messages, ...calls, ...account.fixedCharges.map(fixedEntry)];
  return {
    object: "books",
    spent_micro_usd: entries.reduce((sum, { cost_micro_usd }) => sum + (cost_micro_usd ?? 0), 0),
    entries,
  };
}

function entryOf(
  kind: "message" | "call",
  made: Message | Call,
  { count, microUsd, final }: Cost,
): BooksEntry {
  const price: Price | null = made.price;
  return {
    id: made.sid,
    kind,
    to: made.to,
    count,
    cost_micro_usd: microUsd,
    final,
    created_ms: made.createdMs,
    status: made.status,
    price: price?.text ?? null,
    price_unit: price?.unit ?? null,
  };
}

function fixedEntry({ id, kind, to, count, costMicroUsd, createdMs }: FixedCharge): BooksEntry {
  return {
    id,
    kind,
    to,
    count,
    cost_micro_usd: costMicroUsd,
    final: true,
    created_ms: createdMs,
    status: null,
    price: null,
    price_unit: null,
  };
}
