import type { Account, Call } from "./account.ts";
import { rfc2822 } from "./dates.ts";
import { type Endpoint, type Result, textOf } from "./endpoint.ts";
import { invalid, notFound } from "./errors.ts";
import { newSid } from "./ids.ts";
import { listResult } from "./pages.ts";
import { invalidTo, isE164, nationalFormat } from "./phone-numbers.ts";

const TIME_LIMIT_S_DEFAULT = 4 * 60 * 60;

/** `POST Calls`. The price is known once the call has ended. */
export const createCall: Endpoint = (account, { form }) => {
  const to = textOf(form, "To");
  if (to === null) throw invalid(21201, "No 'To' number is specified");
  if (!isE164(to) && !/^(sip|client):/.test(to)) throw invalidTo(to);
  const from = textOf(form, "From");
  if (from === null) throw invalid(21213, "No 'From' number is specified");
  const timeLimitS = readTimeLimit(form) ?? TIME_LIMIT_S_DEFAULT;
  if (!["Url", "Twiml", "ApplicationSid"].some((name) => form.get(name)))
    throw invalid(21205, "Url parameter is required.");
  return () => {
    const nowMs = account.nowMs();
    const call: Call = {
      sid: newSid("CA"),
      createdMs: nowMs,
      updatedMs: nowMs,
      to,
      from,
      timeLimitS,
      status: "queued",
      durationS: null,
      price: null,
    };
    account.calls.set(call.sid, call);
    return result(account, 201, call);
  };
};

/** `GET Calls/{sid}`. */
export const retrieveCall: Endpoint = (account, { ids: [sid = ""], path }) => {
  return () => result(account, 200, callOf(account, sid, path));
};

/** `GET Calls`: newest first, by `To`, `From` and `Status`. */
export const listCalls: Endpoint = (account, request) => {
  const [to, from, status] = ["To", "From", "Status"].map((name) => request.query.get(name));
  return () => {
    const shown = [...account.calls.values()]
      .reverse()
      .filter((call) => (to ?? call.to) === call.to)
      .filter((call) => (from ?? call.from) === call.from)
      .filter((call) => (status ?? call.status) === call.status);
    return listResult("calls", shown, request, (call) => callObject(account, call));
  };
};

/**
 * `POST Calls/{sid}`: `Status=completed` hangs up, and the call has lasted until then; `Status=canceled` ends one that
 * nobody has taken, which any is until it is delivered. A new `Twiml` or `Url` changes nothing that can be read,
 * a new `TimeLimit` does.
 */
export const updateCall: Endpoint = (account, { ids: [sid = ""], path, form }) => {
  const status = textOf(form, "Status");
  if (status !== null && status !== "completed" && status !== "canceled")
    throw invalid(21218, `Invalid Status: ${status}`);
  const timeLimitS = readTimeLimit(form);
  return () => {
    const call = callOf(account, sid, path);
    if (call.status !== "queued") throw invalid(21220, "Call is not in-progress. Cannot redirect.");
    const nowMs = account.nowMs();
    const ended: Partial<Call> =
      status === "completed" ? { durationS: Math.ceil((nowMs - call.createdMs) / 1000) } : {};
    const updated: Call = {
      ...call,
      ...ended,
      status: status ?? call.status,
      timeLimitS: timeLimitS ?? call.timeLimitS,
      updatedMs: nowMs,
    };
    account.calls.set(sid, updated);
    return result(account, 200, updated);
  };
};

function readTimeLimit(form: URLSearchParams): number | null {
  const text = textOf(form, "TimeLimit");
  if (text === null) return null;
  if (/^[1-9]\d{0,5}$/.test(text)) return Number(text);
  throw invalid(20001, `Invalid TimeLimit: ${text}`);
}

function callOf({ calls }: Account, sid: string, path: string): Call {
  const call = calls.get(sid);
  if (call === undefined) throw notFound(path);
  return call;
}

function result(account: Account, status: Result["status"], call: Call): Result {
  return { status, element: "Call", body: callObject(account, call) };
}

function callObject(account: Account, call: Call) {
  const uri = `/2010-04-01/Accounts/${account.sid}/Calls/${call.sid}`;
  const hasEnded = call.durationS !== null;
  return {
    date_updated: rfc2822(call.updatedMs),
    price_unit: call.price?.unit ?? "USD",
    parent_call_sid: null,
    caller_name: null,
    duration: hasEnded ? String(call.durationS) : null,
    from: call.from,
    to: call.to,
    annotation: null,
    answered_by: null,
    sid: call.sid,
    queue_time: "0",
    price: call.price?.text ?? null,
    api_version: "2010-04-01",
    status: call.status,
    direction: "outbound-api",
    start_time: hasEnded ? rfc2822(call.createdMs) : null,
    date_created: rfc2822(call.createdMs),
    from_formatted: nationalFormat(call.from),
    group_sid: null,
    trunk_sid: null,
    forwarded_from: null,
    uri: `${uri}.json`,
    account_sid: account.sid,
    end_time: call.durationS === null ? null : rfc2822(call.createdMs + call.durationS * 1000),
    to_formatted: nationalFormat(call.to),
    phone_number_sid: null,
    subresource_uris: {
      notifications: `${uri}/Notifications.json`,
      recordings: `${uri}/Recordings.json`,
      events: `${uri}/Events.json`,
    },
  };
}
