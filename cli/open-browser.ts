import { spawn } from "node:child_process";

/** Opens addresses in the browser of whoever sits at this machine. */

interface Opener {
  readonly command: string;
  readonly before: readonly string[];
}

const OPENERS: Readonly<Record<string, Opener>> = {
  darwin: { command: "open", before: [] },
  // Not `start`, which is of a shell, to which `&` in an address is the end of a command.
  win32: { command: "rundll32", before: ["url.dll,FileProtocolHandler"] },
};
const ON_A_DESKTOP: Opener = { command: "xdg-open", before: [] };

type Environment = Readonly<Record<string, string | undefined>>;

/** What opens a browser here; null where nobody would see it: on a server, in a container, over SSH without a display. */
export function openerOf(platform: string, environment: Environment): Opener | null {
  const known = OPENERS[platform];
  if (known !== undefined) return environment["SSH_CONNECTION"] === undefined ? known : null;
  const hasDisplay = ["DISPLAY", "WAYLAND_DISPLAY"].some((name) => (environment[name] ?? "") !== "");
  return hasDisplay ? ON_A_DESKTOP : null;
}

/** Long enough for an opener to say that it cannot, and short for whoever waits: some go on as long as the browser. */
const WAIT_MS = 3_000;

/** Opens an address; false where that did not work. */
export function openAddress({ command, before }: Opener, url: string): Promise<boolean> {
  return new Promise((resolve) => {
    const child = spawn(command, [...before, url], { stdio: "ignore", detached: true });
    const timer = setTimeout(() => resolve(true), WAIT_MS);
    child.once("error", () => resolve(false));
    child.once("exit", (code) => resolve(code === 0));
    child.once("close", () => clearTimeout(timer));
    child.unref();
  });
}
