/** An e-mail as it was sent, or stands to be. */
export interface Email {
  readonly id: string;
  readonly createdMs: number;
  readonly from: string;
  readonly to: readonly string[];
  readonly cc: readonly string[];
  readonly bcc: readonly string[];
  readonly replyTo: readonly string[];
  readonly subject: string;
  readonly html: string | null;
  readonly text: string | null;
  readonly tags: unknown;
  /** When it is to be sent: milliseconds since 1970. Null for one that was sent at once. */
  readonly scheduledMs: number | null;
  readonly canceled: boolean;
  readonly idempotencyKey: string | null;
}

/** All that the vendor knows of the one customer it has. Objects are replaced, never changed. */
export interface Account {
  readonly nowMs: () => number;
  readonly emails: Map<string, Email>;
}

export function openAccount(nowMs: () => number): Account {
  return { nowMs, emails: new Map() };
}

/** Whether an e-mail waits for its time, and so can still be changed or cancelled. */
export function isScheduled({ scheduledMs, canceled }: Email, nowMs: number): boolean {
  return !canceled && scheduledMs !== null && scheduledMs > nowMs;
}
