/**
 * The record of an attempt that was refused because another one was in flight: an item of its own, since the call's
 * record is the other's. Its row still belongs to the call.
 */
export const deniedRecordId = (callId: string, attemptId: string): string => `${callId}!${attemptId}`;

/** The call that a record's rows belong to. */
export const rowCallId = (recordId: string): string => recordId.split("!", 1)[0] ?? recordId;

/** The record that follows one which the vendor may have forgotten: the same idempotency key is another call from here on. */
export const nextGenerationId = (callId: string, firstAtMs: number): string => `${callId}~${firstAtMs}`;
