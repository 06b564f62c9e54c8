import type { Books } from "../../domain/vendor.ts";
import { answerWith, DAY_MS, isWithin, objectsIn } from "../book-entries.ts";
import { printable } from "../json-answer.ts";
import { fingerprintOf } from "./sought.ts";

/**
 * Resend's list of sent e-mails, newest first. It shows no idempotency key, so an e-mail is found by when it was made and by
 * its sender, recipients and subject; of these a fingerprint is kept, not the texts. A key that may only send cannot list.
 *
 * Sources, read 2026-11-28: resend.com/docs/api-reference/emails/list-emails and /pagination.
 */
const KEPT_MS = 30 * DAY_MS;
const PAGE = 100;

export const books: Books = {
  keptMs: KEPT_MS,
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
