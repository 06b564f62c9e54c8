import { fieldsOf } from "../shared/fields.ts";
import type { Email } from "./account.ts";
import { invalid, missingField } from "./errors.ts";
import { readScheduledAt } from "./scheduled-at.ts";

const TO_MAX = 50;

/** What a request says of an e-mail. */
export type EmailFields = Omit<Email, "id" | "createdMs" | "canceled" | "idempotencyKey">;

/**
 * Reads an e-mail of `POST /emails` or of a batch. Throws a 422 in Resend's words: `missing_required_field` for what is
 * not there, `validation_error` for what is wrong. A template may bring the subject and the body with it.
 */
export function readEmail(json: unknown, nowMs: number): EmailFields {
  const fields = fieldsOf(json);
  if (fields === undefined) throw invalid("Email must be an object.");
  const from = text(fields, "from");
  if (from === null) throw missingField("from");
  const to = addresses(fields, "to");
  if (to.length === 0) throw missingField("to");
  if (to.length > TO_MAX) throw invalid(`The \`to\` field must have at most ${TO_MAX} items.`);
  if (!isAddress(from)) throw invalidAddress("from");

  const hasTemplate = fieldsOf(fields.get("template")) !== undefined;
  const subject = text(fields, "subject");
  if (subject === null && !hasTemplate) throw missingField("subject");
  const html = text(fields, "html");
  const plain = text(fields, "text");
  if (html === null && plain === null && !hasTemplate) throw missingField("html` or `text");
  const scheduledAt = text(fields, "scheduled_at");
  return {
    from,
    to,
    cc: addresses(fields, "cc"),
    bcc: addresses(fields, "bcc"),
    replyTo: addresses(fields, "reply_to"),
    subject: subject ?? "",
    html,
    text: plain,
    tags: fields.get("tags") ?? null,
    scheduledMs: scheduledAt === null ? null : readScheduledAt(scheduledAt, nowMs),
  };
}

/** How many e-mails it counts as: one per recipient, the same address twice counts twice. */
export const recipientsOf = ({ to, cc, bcc }: Pick<Email, "to" | "cc" | "bcc">): number =>
  to.length + cc.length + bcc.length;

/** A text; null if it is absent, null or empty. */
function text(fields: ReadonlyMap<string, unknown>, name: string): string | null {
  const value = fields.get(name) ?? "";
  if (typeof value !== "string") throw invalid(`The \`${name}\` field must be a \`string\`.`);
  return value === "" ? null : value;
}

/** One address, or an array of them. */
function addresses(fields: ReadonlyMap<string, unknown>, name: string): readonly string[] {
  const value = fields.get(name) ?? [];
  const listed: readonly unknown[] = Array.isArray(value) ? value : [value];
  return listed.map((address) => {
    if (typeof address !== "string" || !isAddress(address)) throw invalidAddress(name);
    return address;
  });
}

/** `email@example.com` or `Name <email@example.com>`. */
const isAddress = (text: string): boolean =>
  /^(?:[^<>]*<[^\s@<>,]+@[^\s@<>,]+\.[^\s@<>,]+>|[^\s@<>,]+@[^\s@<>,]+\.[^\s@<>,]+)$/.test(text.trim());

function invalidAddress(field: string) {
  return invalid(
    `Invalid \`${field}\` field. The email address needs to follow the \`email@example.com\` or ` +
      "`Name <email@example.com>` format.",
  );
}
