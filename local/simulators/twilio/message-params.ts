import { SegmentedMessage } from "sms-segments-calculator";
import type { Message } from "./account.ts";
import { textOf } from "./endpoint.ts";
import { invalid } from "./errors.ts";
import { isSid } from "./ids.ts";
import { invalidTo } from "./phone-numbers.ts";

const BODY_LENGTH_MAX = 1600;
const MEDIA_MAX = 10;
const SCHEDULE_MS_MIN = 15 * 60 * 1000;
const SCHEDULE_MS_MAX = 35 * 24 * 60 * 60 * 1000;

/** What a request says of a message. */
export type MessageParams = Pick<
  Message,
  "to" | "from" | "messagingServiceSid" | "body" | "segments" | "mediaCount" | "sendAtMs"
>;

/**
 * Reads the parameters of a message. Throws Twilio's 400 for the first that is wrong. A template (`ContentSid`) is
 * taken for one segment, since its text is Twilio's.
 */
export function readMessage(form: URLSearchParams, nowMs: number): MessageParams {
  const to = textOf(form, "To");
  if (to === null) throw invalid(21604, "A 'To' phone number is required.");
  if (!isReachable(to)) throw invalidTo(to);

  const from = textOf(form, "From");
  const messagingServiceSid = textOf(form, "MessagingServiceSid");
  if (from === null && messagingServiceSid === null)
    throw invalid(21603, "A 'From' phone number is required.");
  if (messagingServiceSid !== null && !isSid("MG", messagingServiceSid))
    throw invalid(21701, `The Messaging Service ${messagingServiceSid} does not exist.`);

  const mediaCount = form.getAll("MediaUrl").filter((url) => url !== "").length;
  if (mediaCount > MEDIA_MAX) throw invalid(21623, "Number of media files exceeds allowed limit.");
  const body = form.get("Body") ?? "";
  if (body === "" && mediaCount === 0 && !form.has("ContentSid")) {
    throw form.has("Body")
      ? invalid(21602, "Message body is required.")
      : invalid(21619, "A text message body or media urls must be specified.");
  }
  if ([...body].length > BODY_LENGTH_MAX)
    throw invalid(21617, `The concatenated message body exceeds the ${BODY_LENGTH_MAX} character limit.`);

  const smartEncoding = form.get("SmartEncoded") === "true";
  return {
    to,
    from,
    messagingServiceSid,
    body,
    segments: body === "" ? 1 : new SegmentedMessage(body, "auto", smartEncoding).segmentsCount,
    mediaCount,
    sendAtMs: messagingServiceSid === null ? null : readSendAt(form, nowMs),
  };
}

/** Without a Messaging Service Twilio drops what is said of a schedule, and sends at once; so it is not asked then. */
function readSendAt(form: URLSearchParams, nowMs: number): number | null {
  const text = textOf(form, "SendAt");
  if (text === null || form.get("ScheduleType") !== "fixed") return null;
  const sendAtMs = Date.parse(text);
  const waitMs = sendAtMs - nowMs;
  if (waitMs >= SCHEDULE_MS_MIN && waitMs <= SCHEDULE_MS_MAX) return sendAtMs;
  throw invalid(35114, "Scheduling does not support this timestamp");
}

const isReachable = (to: string): boolean =>
  /^(?:(?:whatsapp:|rcs:)?\+[1-9]\d{6,14}|messenger:\S+)$/.test(to);
