import type { Announcement } from "../../domain/announcement.ts";
import type {
  AnnouncementRegister,
  EventSender,
  OutgoingEvent,
  SendResult,
} from "../../ports/announcements.ts";

export interface AnnouncePorts {
  readonly sender: EventSender;
  readonly register: AnnouncementRegister;
  /** How an announcement is written. */
  readonly written: (announcement: Announcement) => OutgoingEvent;
}

/**
 * Sends announcements, each at least once; those that are to be sent once are marked after they were. What the sender does
 * not take is kept, and `sendKept` sends it later. Returns what was not taken, with why; throws where that could not be
 * kept either.
 */
export async function announce(
  announcements: readonly Announcement[],
  { sender, register, written }: AnnouncePorts,
): Promise<SendResult> {
  const all = new Map(announcements.map((announcement) => [announcement.id, announcement]));
  const once = [...all.values()].flatMap(({ id, once: isOnce }) => (isOnce ? [id] : []));
  const marked = await markedOf(once, register);
  const events = [...all.values()].filter(({ id }) => !marked.has(id)).map(written);
  if (events.length === 0) return { unsent: [], cause: null };
  const result = await sender.send(events);
  if (result.unsent.length > 0) await register.keep(result.unsent);
  const toMark = once.filter((id) => !marked.has(id));
  if (toMark.length > 0) await register.mark(toMark);
  return result;
}

/** Where the marks cannot be read an event is sent once more rather than not at all. */
async function markedOf(
  ids: readonly string[],
  register: AnnouncementRegister,
): Promise<ReadonlySet<string>> {
  if (ids.length === 0) return new Set();
  try {
    return await register.marked(ids);
  } catch {
    return new Set();
  }
}

const KEPT_AT_ONCE = 200;

/** Sends again what was kept, as much as one run takes. Returns what was not taken this time either, with why. */
export async function sendKept({
  sender,
  register,
}: Pick<AnnouncePorts, "sender" | "register">): Promise<SendResult> {
  const kept = await register.kept(KEPT_AT_ONCE);
  if (kept.length === 0) return { unsent: [], cause: null };
  const result = await sender.send(kept);
  const unsent = new Set(result.unsent.map(({ id }) => id));
  await register.drop(kept.filter(({ id }) => !unsent.has(id)));
  return result;
}
