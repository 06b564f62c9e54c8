/** Where a batch of the journal of attempts is found: by the UTC day it was noted on, in so many parts. */
export const journalPartition = (day: string, shard: number): string => `JOURNAL#${day}#${shard}`;

/** The attribute that says when the newest change of the batch was written. */
export const WRITTEN_TO = "written_to";
