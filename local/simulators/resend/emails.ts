import { randomUUID } from "node:crypto";
import { fieldsOf } from "../shared/fields.ts";
import { type Account, type Email, isScheduled } from "./account.ts";
import { type EmailFields, readEmail } from "./email-fields.ts";
import { type Endpoint, ok } from "./endpoint.ts";
import { invalid, missingField, notFound } from "./errors.ts";
import { listPage } from "./lists.ts";
import { readScheduledAt } from "./scheduled-at.ts";

/** `POST /emails`. */
export const sendEmail: Endpoint = (account, { json, idempotencyKey }) => {
  const fields = readEmail(json, account.nowMs());
  return () => ok({ id: store(account, fields, idempotencyKey) });
};

/** Takes an e-mail into the books; gives its id. */
export function store(account: Account, fields: EmailFields, idempotencyKey: string | null): string {
  const id = randomUUID();
  account.emails.set(id, { ...fields, id, createdMs: account.nowMs(), canceled: false, idempotencyKey });
  return id;
}

/** `GET /emails/{id}`. */
export const retrieveEmail: Endpoint = (account, { ids: [id = ""] }) => {
  return () => {
    const email = emailOf(account, id);
    return ok({ object: "email", ...emailObject(account, email), html: email.html, text: email.text });
  };
};

/** `GET /emails`: newest first, without what they say. */
export const listEmails: Endpoint = (account, { query }) => {
  return () => {
    const page = listPage([...account.emails.values()].reverse(), query);
    const data = page.items.map((email) => emailObject(account, email));
    return ok({ object: "list", has_more: page.hasMore, data });
  };
};

/** `PATCH /emails/{id}`: another time for one that still waits. */
export const rescheduleEmail: Endpoint = (account, { ids: [id = ""], json }) => {
  const scheduledAt = fieldsOf(json)?.get("scheduled_at");
  if (scheduledAt === undefined) throw missingField("scheduled_at");
  if (typeof scheduledAt !== "string") throw invalid("The `scheduled_at` field must be a `string`.");
  const scheduledMs = readScheduledAt(scheduledAt, account.nowMs());
  return () => change(account, id, { scheduledMs });
};

/** `POST /emails/{id}/cancel`: one that still waits is never sent, and costs nothing. */
export const cancelEmail: Endpoint = (account, { ids: [id = ""] }) => {
  return () => change(account, id, { canceled: true });
};

function change(account: Account, id: string, changed: Partial<Email>) {
  const email = emailOf(account, id);
  if (!isScheduled(email, account.nowMs())) throw invalid("Email is not scheduled, or was sent already.");
  account.emails.set(id, { ...email, ...changed });
  return ok({ object: "email", id });
}

function emailOf({ emails }: Account, id: string): Email {
  const email = emails.get(id);
  if (email === undefined) throw notFound("Email not found");
  return email;
}

function emailObject({ nowMs }: Account, email: Email) {
  const { scheduledMs } = email;
  return {
    id: email.id,
    to: email.to,
    from: email.from,
    created_at: new Date(email.createdMs).toISOString(),
    subject: email.subject,
    bcc: email.bcc,
    cc: email.cc,
    reply_to: email.replyTo,
    last_event: lastEvent(email, nowMs()),
    scheduled_at: scheduledMs === null ? null : new Date(scheduledMs).toISOString(),
    tags: email.tags ?? [],
  };
}

function lastEvent(email: Email, nowMs: number): string {
  if (email.canceled) return "canceled";
  return isScheduled(email, nowMs) ? "scheduled" : "delivered";
}
