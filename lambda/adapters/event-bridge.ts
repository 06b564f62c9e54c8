import { EventBridgeClient, PutEventsCommand } from "@aws-sdk/client-eventbridge";
import type { EventSender, OutgoingEvent, SendResult } from "../ports/announcements.ts";
import { EVENT_BRIDGE, sendDirectly } from "./direct-sender.ts";
import { environmentProvider } from "./environment-credentials.ts";
import { keptAgents } from "./kept-agents.ts";

/** What one request takes: so many entries, and 1 MB ("PutEvents", API reference, read 2026-11-28). Ours have 4 KB at most. */
const ENTRIES_MAX = 10;
const SENDS_MAX = 2;
/** An event that does not arrive now is kept and sent later, so nobody waits for long. */
const TIMEOUT_MS = 1_000;
const SOCKETS_MAX = 10;

/** The client that takes events, by the environment. */
export function eventBridgeClient(): EventBridgeClient {
  const client = new EventBridgeClient({
    maxAttempts: SENDS_MAX,
    cacheMiddleware: true,
    credentials: environmentProvider,
  });
  sendDirectly(client, EVENT_BRIDGE, { agents: keptAgents(SOCKETS_MAX), timeoutMs: TIMEOUT_MS });
  return client;
}

/** Puts events on a bus, in requests that go out at the same time. `source`: who sends them, as rules know it. */
export class EventBridge implements EventSender {
  readonly #client: EventBridgeClient;
  readonly #bus: string;
  readonly #source: string;

  constructor(client: EventBridgeClient, bus: string, source: string) {
    this.#client = client;
    this.#bus = bus;
    this.#source = source;
  }

  async send(events: readonly OutgoingEvent[]): Promise<SendResult> {
    const parts = Array.from({ length: Math.ceil(events.length / ENTRIES_MAX) }, (_, n) =>
      events.slice(n * ENTRIES_MAX, (n + 1) * ENTRIES_MAX),
    );
    const results = await Promise.all(parts.map((part) => this.#put(part)));
    const failed = results.find(({ unsent }) => unsent.length > 0);
    return { unsent: results.flatMap(({ unsent }) => unsent), cause: failed?.cause ?? null };
  }

  /** A request is taken in part where a bus refuses some of its entries. */
  async #put(events: readonly OutgoingEvent[]): Promise<SendResult> {
    try {
      const { Entries = [] } = await this.#client.send(
        new PutEventsCommand({
          Entries: events.map(({ type, detail }) => ({
            EventBusName: this.#bus,
            Source: this.#source,
            DetailType: type,
            Detail: detail,
          })),
        }),
      );
      const refused = events.filter((_, index) => Entries[index]?.EventId === undefined);
      if (refused.length === 0) return { unsent: [], cause: null };
      const code = Entries.find(({ ErrorCode }) => ErrorCode !== undefined)?.ErrorCode ?? "no reason";
      return { unsent: refused, cause: new Error(`the event bus refused ${refused.length} events: ${code}`) };
    } catch (cause) {
      return { unsent: events, cause };
    }
  }
}
