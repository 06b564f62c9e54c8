import { readFileSync } from "node:fs";

const LOOK_MS = 250;

/**
 * Watches the npm that started this process, since its signals end at the shell between the two: without this a run
 * that was ended would go on unseen, with its port and its data file.
 *
 * `ended`: npm was told to stop, and so was its shell. `killed`: npm alone is gone (seen where there is a /proc). Does
 * nothing for a process that npm did not start: that may outlive its terminal.
 */
export function watchNpm(on: { readonly ended: () => void; readonly killed: () => void }): void {
  if (process.env["npm_lifecycle_event"] === undefined) return;
  const shell = process.ppid;
  const npm = parentOf(shell);
  const timer = setInterval(() => {
    const isKilled = npm !== null && parentOf(shell) !== npm;
    if (process.ppid === shell && !isKilled) return;
    clearInterval(timer);
    if (process.ppid !== shell) on.ended();
    else on.killed();
  }, LOOK_MS);
  timer.unref();
}

/** The parent of a process, or null where it is unknown. */
function parentOf(pid: number): number | null {
  try {
    const [, parent] = /\) \S (\d+) /.exec(readFileSync(`/proc/${pid}/stat`, "utf8")) ?? [];
    return parent === undefined ? null : Number(parent);
  } catch {
    return null;
  }
}
