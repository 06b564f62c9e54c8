import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";
import { at } from "./json.ts";

/** The command, in a process of its own as people start it. */

const PROGRAM = join(import.meta.dirname, "..", "..", "bin", "cli.js");

/** What a process said and how it ended; `code` is null where a signal ended it. */
export interface Said {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Running {
  readonly child: ChildProcess;
  readonly ended: Promise<Said>;
  stdout(): string;
  stderr(): string;
}

type Variables = Readonly<Record<string, string>>;

/** Starts `keybrake` with these arguments and no variables but these and PATH. */
export function startCli(rest: readonly string[], environment: Variables = {}): Running {
  return startProgram(process.execPath, [PROGRAM, ...rest], environment);
}

export function startProgram(command: string, rest: readonly string[], environment: Variables): Running {
  const { PATH = "" } = process.env;
  const child = spawn(command, rest, { env: { PATH, ...environment }, stdio: ["ignore", "pipe", "pipe"] });
  let stdout = "";
  let stderr = "";
  child.stdout.on("data", (chunk) => {
    stdout += chunk;
  });
  child.stderr.on("data", (chunk) => {
    stderr += chunk;
  });
  const ended = new Promise<Said>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => resolve({ code, stdout, stderr }));
  });
  return { child, ended, stdout: () => stdout, stderr: () => stderr };
}

/** Runs `keybrake` to its end. */
export const cli = (rest: readonly string[], environment: Variables = {}): Promise<Said> =>
  startCli(rest, environment).ended;

/** The variables that lead it to a Keybrake. */
export const variablesOf = (to: { readonly baseUrl: string; readonly apiKey: string }): Variables => ({
  KEYBRAKE_URL: to.baseUrl,
  KEYBRAKE_API_KEY: to.apiKey,
});

/**
 * Runs `keybrake` on a terminal of so many columns, by script(1) of util-linux; what stood on it, with its colours and with \n
 * alone at the ends of lines.
 */
export async function cliOnTerminal(
  columns: number,
  rest: readonly string[],
  environment: Variables = {},
): Promise<Said> {
  const quoted = [process.execPath, PROGRAM, ...rest]
    .map((word) => `'${word.replaceAll("'", "'\\''")}'`)
    .join(" ");
  const command = `stty cols ${columns} rows 40; exec ${quoted}`;
  const { code, stdout, stderr } = await startProgram("script", ["-qec", command, "/dev/null"], {
    TERM: "xterm-256color",
    ...environment,
  }).ended;
  return { code, stdout: stdout.replaceAll("\r\n", "\n"), stderr };
}

/** The JSON that a command printed. */
export function jsonOf({ stdout, stderr, code }: Said): unknown {
  try {
    return JSON.parse(stdout);
  } catch {
    throw new Error(`no JSON on stdout, code ${code}: ${stdout}\n${stderr}`);
  }
}

/** A text of that JSON. */
export const printed = (said: Said, ...path: readonly string[]): string => String(at(jsonOf(said), ...path));
