/** Keybrake cannot start here, for a reason the user can mend: `message` says what and how, no stack is worth printing. */
export class StartError extends Error {
  override readonly name = "StartError";
}

const REASONS: Readonly<Record<string, string>> = {
  EACCES: "permission denied",
  EPERM: "permission denied",
  EROFS: "its file system is read-only",
  ENOSPC: "the disk is full",
  EDQUOT: "the quota of this user is used up",
  ENOENT: "there is no such folder",
  ENOTDIR: "a part of its path is a file",
  EISDIR: "it is a folder",
  ENAMETOOLONG: "its name is too long",
  EMFILE: "too many files are open",
};

/** What the system refused and why; undefined for an error that is none of the system. */
export function systemProblem(error: unknown): string | undefined {
  const reason = systemReason(error);
  return reason === undefined || !(error instanceof Error) ? undefined : `${error.message}: ${reason}`;
}

/** Why the system refused, in words and with its own code; undefined for an error that is none of the system. */
export function systemReason(error: unknown): string | undefined {
  if (!(error instanceof Error) || !("code" in error) || !("syscall" in error)) return undefined;
  const code = String(error.code);
  return `${REASONS[code] ?? error.message} (${code})`;
}

/** Why something failed, for the middle of a sentence: the system's reason, else the error as it is. */
export const reasonOf = (error: unknown): string => systemReason(error) ?? String(error);

/** What an error or a program said, in one line. */
export const oneLine = (said: unknown): string =>
  (said instanceof Error ? said.message : String(said)).trim().replace(/\s*\n\s*/g, "; ");
