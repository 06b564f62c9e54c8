/** What a program is told by the exit code alone (docs/cli.md has the same table; a test compares them). */
export const EXIT = {
  done: 0,
  fault: 1,
  wrongUse: 2,
  denied: 3,
  notAuthorised: 4,
  notFound: 5,
  worthRepeating: 6,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** What `run` adds to a code of its own, so that none looks like one of the job. */
export const BEFORE_THE_JOB = 100;

/** As env(1), timeout(1) and shells have it: the job was found and cannot be started; it was not found. */
export const NOT_STARTED = { notExecutable: 126, notFound: 127 } as const;

/** As shells have it: a process that a signal ended. */
export const endedBySignal = (number: number): number => 128 + number;

/** Refusals that the same request may escape in a moment, whatever their status says of others. */
const REPEATED: ReadonlySet<string> = new Set([
  "call_in_flight",
  "gateway_throttled",
  "idempotency_key_in_use",
  "key_changed_meanwhile",
]);

/** The exit code of an answer that is no success, by its status and Keybrake's code. */
export function exitCodeOf(status: number, code: string | null): ExitCode {
  if (code !== null && REPEATED.has(code)) return EXIT.worthRepeating;
  switch (status) {
    case 401:
      return EXIT.notAuthorised;
    case 403:
    case 409:
    case 429:
      return EXIT.denied;
    case 404:
      return EXIT.notFound;
    case 502:
    case 503:
    case 504:
      return EXIT.worthRepeating;
    default:
      return status >= 400 && status < 500 ? EXIT.wrongUse : EXIT.fault;
  }
}
