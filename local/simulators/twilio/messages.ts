import type { Account, Message } from "./account.ts";
import { rfc2822 } from "./dates.ts";
import { type Endpoint, type Result, textOf } from "./endpoint.ts";
import { invalid, notComplete, notFound } from "./errors.ts";
import { newSid } from "./ids.ts";
import { readMessage } from "./message-params.ts";
import { listResult } from "./pages.ts";
import { costOfMessage } from "./prices.ts";

/** `POST Messages`. The answer tells no price, and for a Messaging Service no segments either. */
export const createMessage: Endpoint = (account, { form }) => {
  const params = readMessage(form, account.nowMs());
  return () => {
    const nowMs = account.nowMs();
    const message: Message = {
      ...params,
      sid: newSid(params.mediaCount > 0 ? "MM" : "SM"),
      createdMs: nowMs,
      updatedMs: nowMs,
      sentMs: null,
      status: firstStatus(params),
      price: null,
      deleted: false,
    };
    account.messages.set(message.sid, message);
    return result(account, 201, message);
  };
};

/** `GET Messages/{sid}`. */
export const retrieveMessage: Endpoint = (account, { ids: [sid = ""], path }) => {
  return () => result(account, 200, messageOf(account, sid, path));
};

/** `GET Messages`: newest first, by `To`, `From` and the date sent. */
export const listMessages: Endpoint = (account, request) => {
  const matches = matcherOf(request.query);
  return () => {
    const all = [...account.messages.values()].reverse();
    const shown = all.filter((message) => !message.deleted && matches(message));
    return listResult("messages", shown, request, (message) => messageObject(account, message));
  };
};

/** `POST Messages/{sid}`: an empty `Body` takes away what it said, `Status=canceled` stops one that is scheduled. */
export const updateMessage: Endpoint = (account, { ids: [sid = ""], path, form }) => {
  if (form.get("Body")) throw invalid(20001, "Body can only be set to an empty string");
  const status = textOf(form, "Status");
  if (status !== null && status !== "canceled") throw invalid(20001, `Invalid Status: ${status}`);
  return () => {
    const message = messageOf(account, sid, path);
    if (status !== null && message.status !== "scheduled")
      throw invalid(30409, "This message cannot be canceled");
    const updated: Message = {
      ...message,
      body: form.has("Body") ? "" : message.body,
      status: status ?? message.status,
      updatedMs: account.nowMs(),
    };
    account.messages.set(sid, updated);
    return result(account, 200, updated);
  };
};

/** `DELETE Messages/{sid}`: gone from the API, but not from the books. */
export const deleteMessage: Endpoint = (account, { ids: [sid = ""], path }) => {
  return () => {
    const message = messageOf(account, sid, path);
    if (!costOfMessage(message).final) throw notComplete();
    account.messages.set(sid, { ...message, deleted: true });
    return { status: 204, element: "", body: {} };
  };
};

function firstStatus({ sendAtMs, messagingServiceSid }: Pick<Message, "sendAtMs" | "messagingServiceSid">) {
  if (sendAtMs !== null) return "scheduled";
  return messagingServiceSid === null ? "queued" : "accepted";
}

function messageOf({ messages }: Account, sid: string, path: string): Message {
  const message = messages.get(sid);
  if (message === undefined || message.deleted) throw notFound(path);
  return message;
}

/** Reads `To`, `From`, and `DateSent`, `DateSent>`, `DateSent<`, each of which takes a day or a moment in UTC. */
function matcherOf(query: URLSearchParams): (message: Message) => boolean {
  const [to, from, day] = [query.get("To"), query.get("From"), query.get("DateSent")];
  const [after, before] = [query.get("DateSent>"), query.get("DateSent<")];
  return ({ to: sentTo, from: sentFrom, sentMs }) =>
    (to === null || to === sentTo) &&
    (from === null || from === sentFrom) &&
    (day === null || (sentMs !== null && new Date(sentMs).toISOString().startsWith(day.slice(0, 10)))) &&
    (after === null || (sentMs !== null && sentMs >= Date.parse(after))) &&
    (before === null || (sentMs !== null && sentMs <= Date.parse(before)));
}

function result(account: Account, status: Result["status"], message: Message): Result {
  return { status, element: "Message", body: messageObject(account, message) };
}

function messageObject(account: Account, message: Message) {
  const uri = `/2010-04-01/Accounts/${account.sid}/Messages/${message.sid}`;
  const failed = message.status === "failed" || message.status === "undelivered";
  const unsent = message.sentMs === null && message.messagingServiceSid !== null;
  return {
    body: message.body,
    num_segments: unsent ? "0" : String(message.mediaCount > 0 ? 1 : message.segments),
    direction: "outbound-api",
    from: message.from,
    date_updated: rfc2822(message.updatedMs),
    price: message.price?.text ?? null,
    error_message: failed ? "Unknown error" : null,
    uri: `${uri}.json`,
    account_sid: account.sid,
    num_media: String(message.mediaCount),
    to: message.to,
    date_created: rfc2822(message.createdMs),
    status: message.status,
    sid: message.sid,
    date_sent: message.sentMs === null ? null : rfc2822(message.sentMs),
    messaging_service_sid: message.messagingServiceSid,
    error_code: failed ? 30008 : null,
    price_unit: message.price?.unit ?? (unsent ? null : "USD"),
    api_version: "2010-04-01",
    subresource_uris: { media: `${uri}/Media.json` },
  };
}
