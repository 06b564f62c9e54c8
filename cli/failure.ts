import { EXIT } from "./exit-code.ts";

/** What a failure says beside its message. */
interface FailureFacts {
  readonly exitCode: number;
  /** What to do next, as a sentence or as a command to paste. */
  readonly next?: string | undefined;
  /** The error as the API gave it, for `--json`. */
  readonly error?: Readonly<Record<string, unknown>>;
}

/** A command that did not do what was asked. Its message is for people; `exitCode` is for programs. */
export class Failure extends Error {
  override readonly name = "Failure";
  readonly exitCode: number;
  readonly next: string | undefined;
  readonly error: Readonly<Record<string, unknown>>;

  constructor(message: string, { exitCode, next, error = {} }: FailureFacts) {
    super(message);
    this.exitCode = exitCode;
    this.next = next;
    this.error = { message, ...error };
  }

  /** The same failure with another exit code. */
  shiftedBy(codes: number): Failure {
    return new Failure(this.message, { exitCode: this.exitCode + codes, next: this.next, error: this.error });
  }
}

/** A command that was called in a wrong way; nothing was sent. */
export const wrongUse = (message: string, next?: string): Failure =>
  new Failure(message, { exitCode: EXIT.wrongUse, next });
