import type { Answer } from "../shared/reply.ts";
import { ResendError } from "./errors.ts";

const KEPT_MS = 24 * 60 * 60 * 1000;

/** The endpoints that heed an Idempotency-Key; the others ignore it. */
export const IDEMPOTENT_PATHS: readonly string[] = ["/emails", "/emails/batch"];

interface Entry {
  readonly fingerprint: string;
  readonly startedMs: number;
  readonly answer: Answer | null;
}

/**
 * The idempotency keys of the account (resend.com/docs/dashboard/emails/idempotency-keys, read 2026-11-22). A key runs
 * from the start of its first request until that is answered, and is forgotten 24 hours after that start. Only what
 * was sent is remembered: a request that was refused leaves its key free.
 */
export interface IdempotencyKeys {
  /** The answer of the first request with this key, or null where this is the first. Throws a 409 in between. */
  recall(key: string, fingerprint: string): Answer | null;
  begin(key: string, fingerprint: string): void;
  store(key: string, answer: Answer): void;
  forget(key: string): void;
}

export function openIdempotencyKeys(nowMs: () => number): IdempotencyKeys {
  const entries = new Map<string, Entry>();
  return {
    recall(key, fingerprint) {
      const entry = entries.get(key);
      if (entry === undefined || entry.startedMs + KEPT_MS <= nowMs()) return null;
      if (entry.fingerprint !== fingerprint) throw otherParameters();
      if (entry.answer === null) throw stillRunning();
      return entry.answer;
    },
    begin(key, fingerprint) {
      entries.set(key, { fingerprint, startedMs: nowMs(), answer: null });
    },
    store(key, answer) {
      const entry = entries.get(key);
      if (entry !== undefined) entries.set(key, { ...entry, answer });
    },
    forget(key) {
      entries.delete(key);
    },
  };
}

/** The same text for the same request, in whatever order the fields of its objects were sent. */
export function fingerprintOf(path: string, json: unknown): string {
  return `${path} ${canonical(json)}`;
}

function canonical(json: unknown): string {
  if (Array.isArray(json)) return `[${json.map(canonical).join()}]`;
  if (typeof json !== "object" || json === null) return JSON.stringify(json) ?? "";
  const entries = Object.entries(json).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return `{${entries.map(([name, value]) => `${JSON.stringify(name)}:${canonical(value)}`).join()}}`;
}

const otherParameters = () =>
  new ResendError(
    409,
    "invalid_idempotent_request",
    "This idempotency key has been used on a request with a different payload. Retrying this request is useless " +
      "without changing the idempotency key or payload.",
  );

const stillRunning = () =>
  new ResendError(
    409,
    "concurrent_idempotent_requests",
    "Another request with the same idempotency key is being processed. Try this request again later.",
  );
