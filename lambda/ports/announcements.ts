/** An announcement as it is sent. */
export interface OutgoingEvent {
  readonly id: string;
  readonly type: string;
  /** JSON: what it says. */
  readonly detail: string;
}

/** Who takes events. */
export interface EventSender {
  /** Sends them, within a few seconds. Never throws: what was not taken comes back, with why. */
  send(events: readonly OutgoingEvent[]): Promise<SendResult>;
}

export interface SendResult {
  readonly unsent: readonly OutgoingEvent[];
  /** Why some were not taken; null where all were. */
  readonly cause: unknown;
}

/** What was announced already, and what could not be sent yet. It is read and written only where there is something to announce. */
export interface AnnouncementRegister {
  /** Those of the ids that are marked. */
  marked(ids: readonly string[]): Promise<ReadonlySet<string>>;
  /** Marks ids as announced, each for good; harmless to repeat. */
  mark(ids: readonly string[]): Promise<void>;
  /** Keeps events to be sent later; harmless to repeat. */
  keep(events: readonly OutgoingEvent[]): Promise<void>;
  /** Events that are kept, oldest first, so many at most. */
  kept(limit: number): Promise<readonly KeptEvent[]>;
  /** Takes events off what is kept. */
  drop(events: readonly KeptEvent[]): Promise<void>;
}

/** `place`: where it is kept. */
export interface KeptEvent extends OutgoingEvent {
  readonly place: string;
}
