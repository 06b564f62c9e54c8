import { write } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";

const BATCH_MS = 50;
/** Some seconds of decisions at 500 a second. More would be memory for what nobody reads. */
const WAITING_MAX = 2_000;
const AGAIN_MS = 20;

/** Writes all of a text; resolves when it is on its way. */
export type WriteText = (text: string) => Promise<void>;

export interface LineWriterOptions {
  readonly write: WriteText;
  readonly waitingMax?: number;
  readonly sleep?: (ms: number) => Promise<void>;
}

/**
 * Writes lines in batches, one write at a time, so that output never holds up what makes the lines.
 *
 * Where the output is slower than the lines come, no more than `waitingMax` wait; the newer ones are left out, and a line
 * says how many.
 */
export class LineWriter {
  readonly #options: Required<LineWriterOptions>;
  #waiting: string[] = [];
  #leftOut = 0;
  #isHeld = true;
  #writing: Promise<void> | null = null;

  constructor(options: LineWriterOptions) {
    this.#options = { waitingMax: WAITING_MAX, sleep: (ms) => delay(ms), ...options };
  }

  /** Keeps a line for the next batch. */
  line(text: string): void {
    if (this.#waiting.length >= this.#options.waitingMax) this.#leftOut += 1;
    else this.#waiting.push(text);
    if (!this.#isHeld) this.#begin();
  }

  /** Lines wait until this is called: what is printed at the start stands above them. */
  open(): void {
    this.#isHeld = false;
    if (this.#waiting.length > 0) this.#begin();
  }

  /** Writes what waits, for `waitMs` at most; whether all of it was written. */
  async close(waitMs: number): Promise<boolean> {
    this.open();
    const late = delay(waitMs, false, { ref: false });
    return Promise.race([(this.#writing ?? Promise.resolve()).then(() => true), late]);
  }

  #begin(): void {
    this.#writing ??= this.#write().finally(() => {
      this.#writing = null;
    });
  }

  async #write(): Promise<void> {
    while (this.#waiting.length > 0) {
      await this.#options.sleep(BATCH_MS);
      const lines = this.#waiting;
      const leftOut = this.#leftOut;
      this.#waiting = [];
      this.#leftOut = 0;
      if (leftOut > 0) lines.push(`… ${leftOut} lines left out: the output could not keep up with the calls`);
      await this.#options.write(`${lines.join("\n")}\n`);
    }
  }
}

/**
 * Writes to stdout. Writes to a terminal block the process until they are shown (documentation of Node, "process I/O", read
 * 2026-11-27), so they are given to a thread of the pool; a pipe does not block. A reader that is gone ends nothing.
 */
export const toStdout: WriteText = async (text) => {
  if (process.stdout.isTTY) return toTerminal(Buffer.from(text));
  await new Promise<void>((resolve) => process.stdout.write(text, () => resolve()));
};

async function toTerminal(bytes: Buffer): Promise<void> {
  for (let at = 0; at < bytes.length; ) {
    const written = await new Promise<number | null>((resolve) => {
      write(process.stdout.fd, bytes, at, bytes.length - at, null, (error, count) =>
        resolve(error === null ? count : error.code === "EAGAIN" ? 0 : null),
      );
    });
    if (written === null) return;
    if (written === 0) await delay(AGAIN_MS);
    at += written;
  }
}
