/**
 * Keybrake cannot start, for a reason that the user can fix. `message` says what is wrong and how to fix it, so no
 * stack is printed.
 */
export class StartError extends Error {
  override readonly name = "StartError";
}

const REASONS: Readonly<Record<string, string>> = {
  EACCES: "permission denied",
  EPERM: "permission denied",
  EROFS: "its file system is read-only",
  ENOSPC: "the disk is full",
  EDQUOT: "the quota of this user is used up",
  ENOENT: "there is no such file or folder",
  ENOTDIR: "a part of its path is a file",
  EISDIR: "it is a folder",
  ENAMETOOLONG: "its name is too long",
  EMFILE: "too many files are open",
};

/** What the operating system refused and why; undefined for any other error. */
export function systemProblem(error: unknown): string | undefined {
  const reason = systemReason(error);
  return reason === undefined || !(error instanceof Error) ? undefined : `${error.message}: ${reason}`;
}

/** Why the operating system refused, in words and with its code; undefined for any other error. */
export function systemReason(error: unknown): string | undefined {
  if (!(error instanceof Error) || !("code" in error) || !("syscall" in error)) return undefined;
  const code = String(error.code);
  return `${REASONS[code] ?? error.message} (${code})`;
}

/** Why something failed, for the middle of a sentence: the system's reason, or else the error as text. */
export const reasonOf = (error: unknown): string => systemReason(error) ?? String(error);

/** The message of an error, or the output of a program, in one line. */
export const oneLine = (said: unknown): string =>
  (said instanceof Error ? said.message : String(said)).trim().replace(/\s*\n\s*/g, "; ");

/** An error that nobody foresaw, with where it came from. */
export const described = (error: unknown): string =>
  error instanceof Error ? (error.stack ?? error.message) : String(error);
