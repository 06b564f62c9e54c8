/**
 * Errors that say that the database did not answer, or had no room: an adapter notes them, and whoever answers a request tells
 * them from a fault of ours.
 */
const unanswered = new WeakSet<Error>();

/** Notes an error, and returns it. */
export function noteUnanswered<Thrown>(error: Thrown): Thrown {
  if (error instanceof Error) unanswered.add(error);
  return error;
}

export const isUnanswered = (error: unknown): boolean => error instanceof Error && unanswered.has(error);
