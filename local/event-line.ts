import type { EventDetail } from "./aws/event-bridge.ts";
import { printable } from "./decision-line.ts";

/** One line for an event: time (UTC), what happened, and the command that stops it. */
export function eventLine(event: EventDetail): string {
  const text = (name: string): string => printable(String(event[name] ?? ""));
  return `${text("at").slice(11, 19)}Z  EVENT  ${text("type").padEnd(15)}  ${text("text")}; to stop it: ${text("stop_command")}`;
}
