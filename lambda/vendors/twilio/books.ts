import type { BooksQuestion } from "../../domain/books.ts";
import type { Books } from "../../domain/vendor.ts";
import { answerWith, DAY_MS, isWithin, objectsIn } from "../book-entries.ts";
import { PLACEHOLDER } from "./answers.ts";
import { LISTS, listIn } from "./sought.ts";

/**
 * Twilio's lists of messages and calls: by To and From, newest first. A message that waits has no date on which it was sent,
 * so none is asked for; what counts is when it was created. Verifications and lookups have no list.
 *
 * Sources, read 2026-11-28: twilio.com/docs/messaging/api/message-resource and /voice/api/call-resource; twilio-node 6.2.0.
 */
const KEPT_MS = 30 * DAY_MS;
const PAGE = 100;

const listOf = ({ path }: BooksQuestion): string | null => listIn(path);

export const books: Books = {
  keptMs: KEPT_MS,
  page: (question, after) => {
    const name = listOf(question);
    const { to, from } = question.sought;
    if (name === null || to === undefined) return null;
    return {
      path: `/2010-04-01/Accounts/${PLACEHOLDER}/${name}`,
      query: {
        To: [to],
        ...(from !== undefined && { From: [from] }),
        PageSize: [`${PAGE}`],
        ...(after !== null &&
          Object.fromEntries([...new URLSearchParams(after)].map(([key, value]) => [key, [value]]))),
      },
      headers: {},
    };
  },
  read: (page, question) => {
    const entries = objectsIn(page[LISTS[listOf(question) ?? ""] ?? ""]);
    const next =
      typeof page["next_page_uri"] === "string" ? page["next_page_uri"].split("?", 2)[1] : undefined;
    // Newest first: behind one that is too old nothing matters.
    const oldest = Date.parse(`${entries.at(-1)?.["date_created"]}`);
    return { entries, next: next === undefined || oldest < question.fromMs ? null : next };
  },
  isMatch: (entry, { sought: { to, from, service }, fromMs, toMs }) =>
    entry["direction"] === "outbound-api" &&
    entry["to"] === to &&
    (from === undefined || entry["from"] === from) &&
    (service === undefined || entry["messaging_service_sid"] === service) &&
    isWithin(entry["date_created"], fromMs, toMs),
  guessedId: ({ sid }) => (typeof sid === "string" ? sid : null),
  answer: (matches) => {
    const [made, ...others] = matches;
    return made === undefined || others.length > 0 ? null : answerWith(201, made);
  },
  quote: ({ to, count, plain }) => ({
    recipients: to === undefined ? null : [to],
    ...(count !== undefined && { count: Number(count) }),
    ...(plain !== undefined && { isFinal: false }),
  }),
};
