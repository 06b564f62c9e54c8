import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";
import { refuseBreaches } from "./breaches.ts";
import type { Keybrake } from "./keybrake.ts";

const LOCAL = join(import.meta.dirname, "..", "..", "bin", "local.ts");
const READY_WITHIN_MS = 20_000;

/** `npm start` in a process of its own. */
export interface Started extends Keybrake {
  readonly dynamodbEndpoint: string;
  /** The simulated Stripe; undefined where there is another upstream. */
  readonly simulatorOrigin: string | undefined;
  /** Of each simulated vendor. */
  readonly booksUrls: readonly string[];
  readonly ended: Promise<number | null>;
  stdout(): string;
  stderr(): string;
  /** Resolves with the exit code, null after a SIGKILL. */
  kill(signal: NodeJS.Signals): Promise<number | null>;
}

/** What runs, and the books of its simulated vendors. */
const running = new Map<ChildProcess, readonly string[]>();

/** Ends whatever a test started and left behind; throws where anything reached its simulated vendors that they do not serve. */
export async function killAllStarted(): Promise<void> {
  try {
    await refuseBreaches([...running.values()].flat());
  } finally {
    const children = [...running.keys()];
    const ended = children.map((child) => new Promise((resolve) => child.once("close", resolve)));
    for (const child of children) child.kill("SIGKILL");
    await Promise.all(ended);
  }
}

/** Starts the product and waits for its ready line; rejects with what it said where it ends before. */
export async function start(
  environment: Readonly<Record<string, string>> = {},
  program: string = LOCAL,
): Promise<Started> {
  const { PATH = "" } = process.env;
  const apiKey = environment["KEYBRAKE_API_KEY"] ?? "admin-key-of-the-tests";
  const child = spawn(process.execPath, [program], {
    env: { PATH, PORT: "0", KEYBRAKE_API_KEY: apiKey, ...environment },
    stdio: ["ignore", "pipe", "pipe"],
  });
  running.set(child, []);
  let stdout = "";
  let stderr = "";
  child.stderr.on("data", (chunk) => {
    stderr += chunk;
  });
  const ended = new Promise<number | null>((resolve) => {
    child.on("close", (code) => {
      running.delete(child);
      resolve(code);
    });
  });
  const ready = new Promise<string>((resolve) => {
    child.stdout.on("data", (chunk) => {
      stdout += chunk;
      const [, url] = /^ready (\S+)\n/m.exec(stdout) ?? [];
      if (url !== undefined) resolve(url);
    });
  });
  const late = AbortSignal.timeout(READY_WITHIN_MS);
  const baseUrl = await Promise.race([
    ready,
    ended.then((code) => Promise.reject(new Error(`ended with ${code}: ${stderr}`))),
    new Promise<never>((_, reject) => {
      late.addEventListener("abort", () =>
        reject(new Error(`not ready in ${READY_WITHIN_MS} ms: ${stderr}`)),
      );
    }),
  ]);
  const booksUrls = [...stdout.matchAll(/simulated, its books: (\S+)/g)].map(([, url = ""]) => url);
  running.set(child, booksUrls);
  return {
    baseUrl,
    apiKey,
    booksUrls,
    dynamodbEndpoint: /^ {2}DynamoDB +(\S+)/m.exec(stdout)?.[1] ?? "",
    simulatorOrigin: /^ {2}Stripe +simulated, its books: (\S+)\/books/m.exec(stdout)?.[1],
    ended,
    stdout: () => stdout,
    stderr: () => stderr,
    kill: (signal) => {
      child.kill(signal);
      return ended;
    },
  };
}
