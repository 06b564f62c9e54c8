import { StripeError } from "./errors.ts";

const KEPT_MS = 24 * 60 * 60 * 1000;

/** What the first request of an idempotency key ended in. `body` is the text that was sent. */
export interface StoredAnswer {
  readonly status: number;
  readonly body: string;
  readonly requestId: string;
}

/** What makes a request the same one: where it went, and its parameters in canonical form. */
export interface Fingerprint {
  readonly path: string;
  readonly params: string;
}

type Entry = Fingerprint & { readonly startedMs: number; readonly answer: StoredAnswer | null };

export type Recall =
  | { readonly kind: "new" }
  | { readonly kind: "replay"; readonly answer: StoredAnswer }
  | { readonly kind: "refused"; readonly error: StripeError };

/**
 * The idempotency keys of one account. A key is running from the start of its first request until the answer is
 * stored, and is forgotten 24 hours after that start (docs.stripe.com/api/idempotent_requests: at least 24 hours).
 */
export interface IdempotencyKeys {
  /** Says what a request with this key is: new, a replay, or refused because the key runs or is another request's. */
  recall(key: string, request: Fingerprint): Recall;
  begin(key: string, request: Fingerprint): void;
  store(key: string, answer: StoredAnswer): void;
}

export function openIdempotencyKeys(nowMs: () => number): IdempotencyKeys {
  const entries = new Map<string, Entry>();
  return {
    recall(key, request) {
      const entry = entries.get(key);
      if (entry === undefined || entry.startedMs + KEPT_MS <= nowMs()) return { kind: "new" };
      if (entry.answer === null) return { kind: "refused", error: keyInUse(key) };
      if (entry.path !== request.path) return { kind: "refused", error: otherEndpoint(key, request, entry) };
      if (entry.params !== request.params) return { kind: "refused", error: otherParameters(key) };
      return { kind: "replay", answer: entry.answer };
    },
    begin(key, { path, params }) {
      entries.set(key, { path, params, startedMs: nowMs(), answer: null });
    },
    store(key, answer) {
      const entry = entries.get(key);
      if (entry !== undefined) entries.set(key, { ...entry, answer });
    },
  };
}

function keyInUse(key: string): StripeError {
  return new StripeError(409, {
    type: "idempotency_error",
    code: "idempotency_key_in_use",
    message:
      "There is currently another in-progress request using this Idempotent Key (that probably means you submitted " +
      `twice, and the other request is still going through): ${key}. Please try again later.`,
  });
}

function otherEndpoint(key: string, request: Fingerprint, first: Fingerprint): StripeError {
  return new StripeError(400, {
    type: "idempotency_error",
    message:
      "Keys for idempotent requests can only be used for the same endpoint they were first used for " +
      `('${request.path}' vs '${first.path}'). ${tryAnother(key)}`,
  });
}

function otherParameters(key: string): StripeError {
  return new StripeError(400, {
    type: "idempotency_error",
    message:
      "Keys for idempotent requests can only be used with the same parameters they were first used with. " +
      tryAnother(key),
  });
}

const tryAnother = (key: string) =>
  `Try using a key other than '${key}' if you meant to execute a different request.`;
