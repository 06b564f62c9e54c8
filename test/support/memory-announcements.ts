import type {
  AnnouncementRegister,
  EventSender,
  KeptEvent,
  OutgoingEvent,
  SendResult,
} from "../../lambda/ports/announcements.ts";

/** A bus in memory, which can be down. */
export class MemorySender implements EventSender {
  readonly sent: OutgoingEvent[] = [];
  /** Ids that are refused; or all. */
  refuses: ReadonlySet<string> | "all" = new Set();

  async send(events: readonly OutgoingEvent[]): Promise<SendResult> {
    const unsent = events.filter(({ id }) => this.refuses === "all" || this.refuses.has(id));
    this.sent.push(...events.filter((event) => !unsent.includes(event)));
    return { unsent, cause: unsent.length === 0 ? null : new Error("the bus is down") };
  }
}

/** What was announced, in memory. */
export class MemoryRegister implements AnnouncementRegister {
  readonly marks = new Set<string>();
  readonly waiting = new Map<string, KeptEvent>();
  /** How often it was asked or written. */
  uses = 0;

  async marked(ids: readonly string[]): Promise<ReadonlySet<string>> {
    this.uses++;
    return new Set(ids.filter((id) => this.marks.has(id)));
  }
  async mark(ids: readonly string[]): Promise<void> {
    this.uses++;
    for (const id of ids) this.marks.add(id);
  }
  async keep(events: readonly OutgoingEvent[]): Promise<void> {
    this.uses++;
    for (const event of events) this.waiting.set(event.id, { ...event, place: event.id });
  }
  async kept(limit: number): Promise<readonly KeptEvent[]> {
    return [...this.waiting.values()].slice(0, limit);
  }
  async drop(events: readonly KeptEvent[]): Promise<void> {
    for (const { place } of events) this.waiting.delete(place);
  }
}
