import type { BooksQuestion } from "../../domain/books.ts";
import { isJsonObject } from "../../domain/strict-json.ts";
import type { Books, Json } from "../../domain/vendor.ts";
import { answerWith, DAY_MS, isWithin, objectsIn, SECOND_MS } from "../book-entries.ts";
import { printable } from "../json-answer.ts";
import { isAbout, unitsOf } from "./answers.ts";

/**
 * Stripe's Events: each says which request caused it, by the request's id and its idempotency key, and holds the object as
 * it was then. They go back 30 days; Stripe says nothing of how late they come, so they are asked for again and again.
 *
 * An event is rendered by the API version of the account, not of the call. What is read of it (kind, id, amount, currency,
 * status, amount received) is the same in all versions that Keybrake accepts.
 *
 * Sources, read 2026-11-28: docs.stripe.com/api/events/list and /events/object; the types of stripe-node 23.1.0. Some calls
 * cause no event, such as an update of a PaymentIntent: they stay unresolved.
 */
const KEPT_MS = 30 * DAY_MS;
const PAGE = 100;

/** The events of a collection by their names; all of them where another object's event tells it too. */
const TYPES: Readonly<Record<string, string>> = {
  payment_intents: "payment_intent.*",
  charges: "charge.*",
  payouts: "payout.*",
  topups: "topup.*",
  transfers: "transfer.*",
  invoices: "invoice.*",
  invoiceitems: "invoiceitem.*",
  credit_notes: "credit_note.*",
};

const collectionOf = ({ path }: BooksQuestion): string => path.split("/")[2] ?? "";

const objectOf = ({ data }: Json): Json =>
  isJsonObject(data) && isJsonObject(data["object"]) ? data["object"] : {};

/** Events that tell that a payment was declined, which a 402 says. */
const isDecline = ({ type }: Json): boolean => /^(charge\.failed|.*\.payment_failed)$/.test(`${type}`);

/** Events that tell that money moved, or is held for it. */
const isSuccess = ({ type }: Json): boolean =>
  /\.(succeeded|paid|captured|amount_capturable_updated)$/.test(`${type}`);

export const books: Books = {
  keptMs: KEPT_MS,
  page: (question, after) => {
    // Without a key it is found by its amount, and the events of a change do not say what was asked for.
    if (question.idempotencyKey === null && !isNew(question)) return null;
    const type = TYPES[collectionOf(question)];
    const second = (ms: number) => [`${Math.floor(ms / SECOND_MS)}`];
    return {
      path: "/v1/events",
      query: {
        limit: [`${PAGE}`],
        "created[gte]": second(question.fromMs),
        "created[lte]": second(question.toMs),
        ...(type !== undefined && { type: [type] }),
        ...(after !== null && { starting_after: [after] }),
      },
      headers: question.sought,
    };
  },
  read: ({ data, has_more: more }) => {
    const entries = objectsIn(data);
    return { entries, next: more === true ? printable(entries.at(-1)?.["id"]) : null };
  },
  isMatch: (event, question) => {
    const { request } = event;
    if (!isJsonObject(request) || printable(request["id"]) === null) return false;
    const { idempotencyKey, path, amountText, currency } = question;
    if (idempotencyKey !== null) return request["idempotency_key"] === idempotencyKey;
    const object = objectOf(event);
    return (
      request["idempotency_key"] === null &&
      `${event["type"]}`.endsWith(".created") &&
      isAbout(path, object) &&
      isWithin(object["created"], question.fromMs, question.toMs) &&
      amountText !== null &&
      `${unitsOf(object["amount"])}` === amountText &&
      object["currency"] === currency
    );
  },
  guessedId: (event, { idempotencyKey }) =>
    idempotencyKey === null ? printable(objectOf(event)["id"]) : null,
  answer: (events, question) => {
    const [any] = events;
    if (any === undefined) return null;
    const about = events.filter((event) => isAbout(question.path, objectOf(event)) && objectOf(event)["id"]);
    if (question.idempotencyKey === null && new Set(about.map((event) => objectOf(event)["id"])).size !== 1)
      return null;
    // Newest first, as they are listed: it holds what the request ended with.
    const [last = any] = about.toSorted((a, b) => Number(b["created"]) - Number(a["created"]));
    const id = isJsonObject(last["request"]) ? printable(last["request"]["id"]) : null;
    const headers = id === null ? {} : { "request-id": [id] };
    const decline = events.find(isDecline);
    // Both cannot be true of one request: nobody gives back what may have been charged.
    if (decline !== undefined && events.some(isSuccess)) return null;
    if (decline === undefined) return answerWith(200, objectOf(last), headers);
    const declined = objectOf(decline);
    const error = declined["object"] === "payment_intent" ? { payment_intent: declined } : {};
    return answerWith(402, { error }, headers);
  },
  quote: () => ({}),
};

/** Whether the call makes a new object, which its event shows with the amount that was asked for. */
const isNew = ({ path, amountText }: BooksQuestion): boolean =>
  amountText !== null && path.split("/").length === 3;
