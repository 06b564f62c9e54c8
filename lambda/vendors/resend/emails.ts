import { type MicroUsd, microUsd, sum } from "../../domain/money.ts";
import { Problem } from "../../domain/problem.ts";
import { priceOf, type RateCard } from "../../domain/rate-card.ts";
import { isJsonObject } from "../../domain/strict-json.ts";
import type { PricedRule, Quote, VendorRequest } from "../../domain/vendor.ts";
import { readJson } from "../json-body.ts";
import { ADDRESS_ACCEPTED, addressOf } from "./addresses.ts";

/**
 * The upper bound of what e-mails cost: each recipient in `to`, `cc` and `bcc`, each time it is named.
 *
 * Sources, read 2026-11-22: the payloads of resend-node 2.1, 4.8, 6.0 and 6.38 and of resend-python 2.39;
 * resend.com/docs/knowledge-base/account-quotas-and-limits for what is counted.
 */

/** The fields that are sent to Resend, as Resend spells them. */
export const EMAIL_FIELDS = [
  "attachments",
  "bcc",
  "cc",
  "from",
  "headers",
  "html",
  "reply_to",
  "scheduled_at",
  "subject",
  "tags",
  "template",
  "text",
  "to",
  "topic_id",
] as const;

/** In each of the three lists. */
const ADDRESSES_MAX = 50;
const BATCH_MAX = 100;

type Recipients = readonly string[];

const unclear = (field: string, got: string, accepted: string) =>
  new Problem("ambiguous_request", `${field}: got ${got}; expected ${accepted}`);

const shown = (value: unknown): string => {
  if (typeof value === "string") return JSON.stringify(value.slice(0, 60));
  if (Array.isArray(value)) return "an array";
  return isJsonObject(value) ? "an object" : `${value}`.slice(0, 60);
};

/** Refuses the first field that is not listed: it could name recipients that are not counted. */
export function unlisted(
  fields: Readonly<Record<string, unknown>>,
  listed: readonly string[],
  prefix = "",
): Problem | null {
  const unknown = Object.keys(fields).find((name) => !listed.includes(name));
  if (unknown === undefined) return null;
  return new Problem(
    "endpoint_not_priced",
    `${prefix}${JSON.stringify(unknown.slice(0, 40))}: unknown field; Keybrake cannot bound its cost; expected ${listed.join(", ")}`,
  );
}

/** All recipients of an e-mail, each as often as it is named. `prefix`: its position in a batch. */
function recipientsOf(email: unknown, prefix: string): Recipients | Problem {
  if (!isJsonObject(email))
    return unclear(prefix === "" ? "body" : prefix.slice(0, -1), shown(email), "an e-mail as a JSON object");
  const problem = unlisted(email, EMAIL_FIELDS, prefix) ?? headersProblem(email["headers"], prefix);
  if (problem !== null) return problem;

  const to = addressesOf(email["to"], `${prefix}to`);
  if (to instanceof Problem) return to;
  if (to.length === 0) return tooMany(`${prefix}to`, 0);
  const cc = addressesOf(email["cc"], `${prefix}cc`);
  if (cc instanceof Problem) return cc;
  const bcc = addressesOf(email["bcc"], `${prefix}bcc`);
  if (bcc instanceof Problem) return bcc;
  return lineBreakProblem(email, prefix) ?? [...to, ...cc, ...bcc];
}

/** The addresses in a field: a string or an array of strings. A missing field and `null` name nobody. */
function addressesOf(value: unknown, field: string): Recipients | Problem {
  if (value === undefined || value === null) return [];
  if (Array.isArray(value) && value.length > ADDRESSES_MAX) return tooMany(field, value.length);
  const addresses: string[] = [];
  for (const one of Array.isArray(value) ? value : [value]) {
    const address = typeof one === "string" ? addressOf(one) : null;
    if (address === null)
      return unclear(field, shown(one), `${ADDRESS_ACCEPTED}; send several as an array of strings`);
    addresses.push(address);
  }
  return addresses;
}

const tooMany = (field: string, count: number): Problem =>
  new Problem("amount_unknown", `${field}: got ${count} addresses; expected 1 to ${ADDRESSES_MAX}`);

/** Headers that name recipients or senders, and those that the mail carrier reads. */
const RECIPIENT_HEADER = /^(to|cc|bcc|apparently-to|from|sender|return-path|resent-.*|x-ses-.*)$/i;

function headersProblem(headers: unknown, prefix: string): Problem | null {
  const field = `${prefix}headers`;
  if (headers === undefined || headers === null) return null;
  if (!isJsonObject(headers)) return unclear(field, shown(headers), "an object of strings");
  for (const [name, value] of Object.entries(headers)) {
    if (RECIPIENT_HEADER.test(name))
      return unclear(
        field,
        shown(name),
        "a header that names neither a recipient nor a sender; they belong in to, cc, bcc and from",
      );
    if (!/^[A-Za-z0-9_-]{1,100}$/.test(name))
      return unclear(field, shown(name), "a name of letters, digits, hyphens and underscores");
    if (typeof value !== "string") return unclear(`${field}.${name}`, shown(value), "a string");
  }
  return null;
}

/** The text of a message may have lines; what becomes a header of it may not, since a line could be another header. */
const WITH_LINES: readonly string[] = ["html", "text", "template"];

function lineBreakProblem(email: Readonly<Record<string, unknown>>, prefix: string): Problem | null {
  const broken = Object.entries(email).find(([name, value]) => !WITH_LINES.includes(name) && hasLines(value));
  if (broken === undefined) return null;
  return unclear(
    `${prefix}${broken[0]}`,
    "a line break or another control character",
    "text without control characters",
  );
}

const hasLines = (value: unknown): boolean => {
  if (typeof value === "string") return /[\p{Cc}\u2028\u2029]/u.test(value);
  if (Array.isArray(value)) return value.some(hasLines);
  if (!isJsonObject(value)) return false;
  // Of an attachment, `content` is its text or base64, which may be wrapped into lines.
  return Object.entries(value).some(
    ([name, inner]) => hasLines(name) || (name !== "content" && hasLines(inner)),
  );
};

/** The e-mails of a request, each with its recipients. */
type Emails = readonly Recipients[];

function oneEmail(request: VendorRequest): Emails | Problem {
  const body = readJson(request);
  if (body instanceof Problem) return body;
  const recipients = recipientsOf(body.value, "");
  return recipients instanceof Problem ? recipients : [recipients];
}

function batch(request: VendorRequest): Emails | Problem {
  const body = readJson(request);
  if (body instanceof Problem) return body;
  if (!Array.isArray(body.value)) return unclear("body", shown(body.value), "an array of e-mails");
  if (body.value.length === 0 || body.value.length > BATCH_MAX) {
    return new Problem(
      "amount_unknown",
      `body: got ${body.value.length} e-mails; expected 1 to ${BATCH_MAX}`,
    );
  }
  const emails: Recipients[] = [];
  for (const [index, email] of body.value.entries()) {
    const recipients = recipientsOf(email, `[${index}].`);
    if (recipients instanceof Problem) return recipients;
    emails.push(recipients);
  }
  return emails;
}

const quoteOf =
  (read: (request: VendorRequest) => Emails | Problem): PricedRule["quote"] =>
  (request, { rateCard }) => {
    const emails = read(request);
    if (emails instanceof Problem) return emails;
    const price = recipientPrice(rateCard);
    return price instanceof Problem ? price : quoted(emails, price);
  };

const quoted = (emails: Emails, price: MicroUsd): Quote => {
  const parts = emails.map((recipients) => microUsd(BigInt(recipients.length) * price));
  return {
    amount: sum(parts),
    amountText: null,
    currency: null,
    fxRate: null,
    recipients: emails.flat(),
    explanation: null,
    parts,
  };
};

const recipientPrice = ({ prices }: RateCard): MicroUsd | Problem =>
  priceOf(prices, "resend", "recipient", "") ??
  new Problem(
    "endpoint_not_priced",
    "no price for a recipient is configured; an operator can set prices.resend.recipient in keybrake.config.ts",
  );

export const quoteEmail = quoteOf(oneEmail);
export const quoteBatch = quoteOf(batch);
