import { Problem } from "../../domain/problem.ts";
import { isJsonObject } from "../../domain/strict-json.ts";
import { sha256 } from "../../domain/token.ts";
import type { Books, Json } from "../../domain/vendor.ts";
import { answerWith, DAY_MS, isWithin, objectsIn } from "../books.ts";
import { printable } from "../json-answer.ts";
import { readJson } from "../json-body.ts";

/**
 * Resend's list of sent e-mails, newest first. It shows no idempotency key, so an e-mail is found by when it was made and by
 * its sender, recipients and subject; of these a fingerprint is kept, not the texts. A key that may only send cannot list.
 *
 * Sources, read 2026-11-28: resend.com/docs/api-reference/emails/list-emails and /pagination.
 */
const KEPT_MS = 30 * DAY_MS;
const PAGE = 100;

/** Half of a hash: who finds another e-mail with it would have to look for it. */
const FINGERPRINT_LENGTH = 32;

/** A larger body, of attachments, would be read for the second time on every call. */
const READ_BYTES_MAX = 100_000;

const addresses = (value: unknown): readonly string[] =>
  typeof value === "string" ? [value] : Array.isArray(value) ? value.map(String) : [];

/** Null where the texts that it is made of are elsewhere, as those of a template. */
function fingerprintOf(email: Json): string | null {
  const { from, subject, to, cc, bcc } = email;
  if (typeof from !== "string" || typeof subject !== "string") return null;
  const named = [from, subject, ...[to, cc, bcc].map((list) => [...addresses(list)].sort())];
  return sha256(JSON.stringify(named)).slice(0, FINGERPRINT_LENGTH);
}

export const books: Books = {
  keptMs: KEPT_MS,
  keep: (request) => {
    if (request.body.length > READ_BYTES_MAX) return null;
    const body = readJson(request);
    // A batch is many e-mails, each of which others may have sent too.
    if (body instanceof Problem || !isJsonObject(body.value)) return null;
    const email = fingerprintOf(body.value);
    return email === null ? null : { email };
  },
  page: ({ path, sought }, after) =>
    path !== "/emails" || sought["email"] === undefined
      ? null
      : {
          path: "/emails",
          query: { limit: [`${PAGE}`], ...(after !== null && { after: [after] }) },
          headers: {},
        },
  read: ({ data, has_more: more }, { fromMs }) => {
    const entries = objectsIn(data);
    const last = entries.at(-1);
    const isOld = Date.parse(`${last?.["created_at"]}`) < fromMs;
    return { entries, next: more === true && !isOld ? printable(last?.["id"]) : null };
  },
  isMatch: (entry, { sought, fromMs, toMs }) =>
    fingerprintOf(entry) === sought["email"] && isWithin(entry["created_at"], fromMs, toMs),
  guessedId: ({ id }) => printable(id),
  answer: (matches) => {
    const [made, ...others] = matches;
    return made === undefined || others.length > 0 ? null : answerWith(200, { id: made["id"] });
  },
  quote: () => ({}),
};
