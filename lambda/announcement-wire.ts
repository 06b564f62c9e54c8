import type { Announcement } from "./domain/announcement.ts";
import { unresolvedCommands } from "./domain/api-command.ts";
import { usdNumber } from "./domain/money.ts";
import type { Secrets } from "./domain/secrets.ts";
import { stopCommand } from "./domain/stop-command.ts";
import { isoTime } from "./domain/time.ts";
import type { OutgoingEvent } from "./ports/announcements.ts";

/** What EventBridge calls whoever sends these events. */
export const EVENT_SOURCE = "keybrake";

export interface WiredWith {
  /** Where people reach the API, without a slash at the end. */
  readonly baseUrl: string;
  readonly redact: Secrets["redact"];
}

/**
 * An announcement as its event says it: dollars are decimal numbers, times ISO 8601 text, names as in the audit log. Text of
 * callers is redacted.
 */
export function outgoingEvent(
  { id, type, atMs, keyId, vendor, label, labelGroup, facts, text, stop, unresolvedCallId }: Announcement,
  { baseUrl, redact }: WiredWith,
): OutgoingEvent {
  const shown = (fact: Announcement["facts"][string]) =>
    typeof fact === "bigint" ? usdNumber(fact) : typeof fact === "string" ? redact(fact) : fact;
  const plain = (value: string | null) => (value === null ? null : redact(value));
  const detail = {
    id,
    type,
    at: isoTime(atMs),
    key_id: keyId,
    agent_run_label: plain(label),
    label_group: plain(labelGroup),
    vendor,
    ...Object.fromEntries(Object.entries(facts).map(([name, fact]) => [name, shown(fact)])),
    text: redact(text),
    dashboard_url: `${baseUrl}/dashboard`,
    stop_command: redact(stopCommand(baseUrl, stop)),
    ...(unresolvedCallId !== undefined && unresolvedCommands(baseUrl, unresolvedCallId)),
  };
  return { id, type, detail: JSON.stringify(detail) };
}
