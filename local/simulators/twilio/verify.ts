import type { Account, Verification } from "./account.ts";
import { iso8601 } from "./dates.ts";
import { type Endpoint, type Result, textOf } from "./endpoint.ts";
import { invalid, notFound, TwilioError } from "./errors.ts";
import { isSid, newSid } from "./ids.ts";
import { metaListResult } from "./pages.ts";
import { isE164 } from "./phone-numbers.ts";
import { fixedCost } from "./prices.ts";

const HOST = "verify.twilio.com";
const CHANNELS = ["sms", "call", "email", "whatsapp", "sna", "auto"];
const ATTEMPTS_MAX = 5;

/** The code of every verification, since nothing is really sent. */
const VERIFICATION_CODE = "123456";

/** `GET /v2/Services`: those that anything was sent by, the latest first. */
export const listServices: Endpoint = (account, { path, query }) => {
  return () => {
    const services = new Map(
      [...account.verifications.values()].map(({ serviceSid: sid, createdMs }) => [sid, { sid, createdMs }]),
    );
    const all = [...services.values()].reverse();
    return metaListResult("services", all, { host: HOST, path, query }, (service) =>
      serviceObject(account, service),
    );
  };
};

/**
 * `POST /v2/Services/{sid}/Verifications`: sends a code, and is charged for each that it sends. While one for the same
 * recipient is pending, it sends again in the same verification. Any service exists.
 */
export const createVerification: Endpoint = (account, { ids: [serviceSid = ""], path, form }) => {
  if (!isSid("VA", serviceSid)) throw notFound(withoutVersion(path));
  const to = textOf(form, "To");
  if (to === null) throw missing("To");
  const channel = textOf(form, "Channel");
  if (channel === null) throw missing("Channel");
  if (!CHANNELS.includes(channel)) throw invalid(60200, `Invalid parameter \`Channel\`: ${channel}`);
  if (!isE164(to) && !/^\S+@\S+$/.test(to)) throw invalid(60200, `Invalid parameter \`To\`: ${to}`);
  return () => {
    const nowMs = account.nowMs();
    const pending = pendingFor(account, serviceSid, to) ?? {
      sid: newSid("VE"),
      serviceSid,
      to,
      status: "pending",
      createdMs: nowMs,
      sends: [],
      checks: 0,
    };
    if (pending.sends.length >= ATTEMPTS_MAX) throw new TwilioError(429, 60203, "Max send attempts reached");
    const send = { sid: newSid("VL"), channel, sentMs: nowMs };
    const sent: Verification = { ...pending, channel, updatedMs: nowMs, sends: [...pending.sends, send] };
    account.verifications.set(sent.sid, sent);
    const costMicroUsd = fixedCost("verification", 1);
    account.fixedCharges.push({
      id: send.sid,
      kind: "verification",
      to,
      count: 1,
      costMicroUsd,
      createdMs: nowMs,
    });
    return { status: 201, element: "Verification", body: verificationObject(account, sent) };
  };
};

/** `GET /v2/Services/{sid}/Verifications/{sid}`: only while it is pending, as with the real one. */
export const retrieveVerification: Endpoint = (account, { ids: [serviceSid = "", sid = ""], path }) => {
  return () => {
    const verification = account.verifications.get(sid);
    if (verification?.serviceSid !== serviceSid || verification.status !== "pending")
      throw notFound(withoutVersion(path));
    return { status: 200, element: "Verification", body: verificationObject(account, verification) };
  };
};

/** `POST /v2/Services/{sid}/VerificationCheck`: compares the code; free of charge. */
export const checkVerification: Endpoint = (account, { ids: [serviceSid = ""], path, form }) => {
  const [code, to, sid] = [textOf(form, "Code"), textOf(form, "To"), textOf(form, "VerificationSid")];
  if (code === null) throw missing("Code");
  if (to === null && sid === null) throw missing("To");
  return () => {
    const pending = pendingFor(account, serviceSid, to, sid);
    if (pending === undefined) throw notFound(withoutVersion(path));
    if (pending.checks >= ATTEMPTS_MAX) throw new TwilioError(429, 60202, "Max check attempts reached");
    const checked: Verification = {
      ...pending,
      checks: pending.checks + 1,
      status: code === VERIFICATION_CODE ? "approved" : "pending",
      updatedMs: account.nowMs(),
    };
    account.verifications.set(checked.sid, checked);
    return checkResult(account, checked);
  };
};

function pendingFor(
  { verifications }: Account,
  serviceSid: string,
  to: string | null,
  sid: string | null = null,
): Verification | undefined {
  return [...verifications.values()].find(
    (verification) =>
      verification.status === "pending" &&
      verification.serviceSid === serviceSid &&
      (sid ?? verification.sid) === verification.sid &&
      (to ?? verification.to) === verification.to,
  );
}

const missing = (name: string) => invalid(20001, `Missing required parameter ${name} in the post body`);

/** The newer APIs leave the version out where they name a path. */
const withoutVersion = (path: string): string => path.replace(/^\/v\d+/, "");

function checkResult(account: Account, verification: Verification): Result {
  const { sid, serviceSid, to, channel, status, createdMs, updatedMs } = verification;
  return {
    status: 201,
    element: "VerificationCheck",
    body: {
      sid,
      service_sid: serviceSid,
      account_sid: account.sid,
      to,
      channel,
      status,
      valid: status === "approved",
      amount: null,
      payee: null,
      sna_attempts_error_codes: [],
      date_created: iso8601(createdMs),
      date_updated: iso8601(updatedMs),
    },
  };
}

function verificationObject(account: Account, verification: Verification) {
  const { sid, serviceSid, to, channel, status, createdMs, updatedMs, sends } = verification;
  return {
    sid,
    service_sid: serviceSid,
    account_sid: account.sid,
    to,
    channel,
    status,
    valid: status === "approved",
    date_created: iso8601(createdMs),
    date_updated: iso8601(updatedMs),
    lookup: {},
    amount: null,
    payee: null,
    send_code_attempts: sends.map((send) => ({
      time: iso8601(send.sentMs),
      channel: send.channel,
      attempt_sid: send.sid,
    })),
    sna: null,
    url: `https://${HOST}/v2/Services/${serviceSid}/Verifications/${sid}`,
  };
}

function serviceObject(account: Account, { sid, createdMs }: Pick<Verification, "sid" | "createdMs">) {
  const url = `https://${HOST}/v2/Services/${sid}`;
  return {
    sid,
    account_sid: account.sid,
    friendly_name: "Simulated service",
    code_length: VERIFICATION_CODE.length,
    lookup_enabled: false,
    date_created: iso8601(createdMs),
    date_updated: iso8601(createdMs),
    url,
    links: { verifications: `${url}/Verifications`, verification_checks: `${url}/VerificationCheck` },
  };
}
