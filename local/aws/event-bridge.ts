import { randomUUID } from "node:crypto";
import { WAKE_EVENT } from "../../lambda/environment.ts";
import {
  type JsonService,
  refusal,
  type ServiceAnswer,
  startJsonService,
  unknownOperation,
} from "./json-service.ts";

/** Newest events that are remembered. */
const KEPT_MAX = 1_000;
/** What one request may have ("PutEvents", API reference, read 2026-11-28). */
const ENTRIES_MAX = 10;

/** What an event says: its detail. */
export type EventDetail = Readonly<Record<string, unknown>>;

export interface LocalEventBridge extends JsonService {
  /** The events that came, newest first: the last 1,000. */
  events(): readonly EventDetail[];
}

/**
 * Answers PutEvents as EventBridge does and remembers what came for the bus called `bus`. An entry that lacks something, or whose detail is
 * no object of JSON, is refused alone, in AWS's words. Everything else is an unknown operation. What wakes the resolver is told to
 * `onWake` alone.
 */
export async function startEventBridge(
  bus: string,
  accessKeyId: string,
  onEvent: (event: EventDetail) => void,
  onWake: () => void = () => {},
): Promise<LocalEventBridge> {
  const events: EventDetail[] = [];
  const take = (entry: unknown): EntryResult => {
    const { EventBusName, Source, DetailType, Detail } = objectOf(entry);
    for (const [name, value] of Object.entries({ Source, DetailType, Detail }))
      if (typeof value !== "string" || value === "")
        return entryRefused(
          "InvalidArgument",
          `Parameter ${name} is not valid. Reason: ${name} is a required argument.`,
        );
    const detail = detailOf(Detail);
    if (detail === null) return entryRefused("MalformedDetail", "Detail is malformed.");
    // EventBridge takes what is for a bus that is not there, and nobody gets it.
    if (EventBusName === bus && Source === WAKE_EVENT.source) {
      if (DetailType === WAKE_EVENT.type) onWake();
    } else if (EventBusName === bus) {
      events.unshift(detail);
      events.length = Math.min(events.length, KEPT_MAX);
      onEvent(detail);
    }
    return { EventId: randomUUID() };
  };

  const answer = (operation: string | undefined, input: unknown): ServiceAnswer => {
    if (operation !== "PutEvents") return unknownOperation(operation);
    const { Entries } = objectOf(input);
    if (!Array.isArray(Entries) || Entries.length === 0 || Entries.length > ENTRIES_MAX)
      return refusal(
        "ValidationException",
        `Value at 'entries' failed to satisfy constraint: Member must have length between 1 and ${ENTRIES_MAX}`,
      );
    const results = Entries.map(take);
    const failed = results.filter((result) => "ErrorCode" in result).length;
    return { status: 200, body: { FailedEntryCount: failed, Entries: results } };
  };

  return { ...(await startJsonService(accessKeyId, answer)), events: () => [...events] };
}

type EntryResult =
  | { readonly EventId: string }
  | { readonly ErrorCode: string; readonly ErrorMessage: string };

const entryRefused = (ErrorCode: string, ErrorMessage: string): EntryResult => ({ ErrorCode, ErrorMessage });

const objectOf = (value: unknown): Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null ? { ...value } : {};

function detailOf(text: unknown): EventDetail | null {
  try {
    const detail: unknown = JSON.parse(String(text));
    return typeof detail === "object" && detail !== null && !Array.isArray(detail) ? { ...detail } : null;
  } catch {
    return null;
  }
}
