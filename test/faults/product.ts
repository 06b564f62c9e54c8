import { type ChildProcess, spawn } from "node:child_process";

const READY_WITHIN_MS = 60_000;
const STDERR_KEPT = 20_000;

/** A local run in a process of its own, which may be killed at any moment. */
export interface Product {
  readonly baseUrl: string;
  readonly dynamodbEndpoint: string;
  /** What it wrote to stderr lately. */
  stderr(): string;
  /** Asks the program of the faults (faulty-run.ts) for something, and resolves when it is done. */
  ask(order: Order): Promise<unknown>;
  /** SIGKILL; resolves when the process is gone. */
  kill(): Promise<void>;
  /** SIGTERM; resolves with its exit code. */
  stop(): Promise<number | null>;
}

/** What the program of the faults does on demand. */
export type Order = "calm" | "drain" | "replay";

export interface ProductOptions {
  readonly program: string;
  readonly environment: Readonly<Record<string, string>>;
  /** Whether the program takes orders. */
  readonly takesOrders: boolean;
  /** Told what the program tells by itself. */
  readonly onTold?: (told: unknown) => void;
}

/** A program that was started, and may not be ready. */
export interface Starting {
  /** Resolves with the product once it takes calls; rejects with what it said where it ends before. */
  readonly ready: Promise<Product>;
  /** SIGKILL; resolves when the process is gone. */
  kill(): Promise<void>;
}

/** Starts a program that prints as `npm start` does. */
export function startProduct(options: ProductOptions): Starting {
  const { PATH = "" } = process.env;
  const child = spawn(process.execPath, [options.program], {
    env: { PATH, ...options.environment },
    stdio: ["ignore", "pipe", "pipe", ...(options.takesOrders ? (["ipc"] as const) : [])],
  });
  const said = { stdout: "", stderr: "" };
  child.stderr?.on("data", (chunk: Buffer) => {
    said.stderr = (said.stderr + chunk).slice(-STDERR_KEPT);
  });
  const ended = new Promise<number | null>((resolve) => child.once("close", resolve));
  const answers = openAnswers(child, options.onTold ?? (() => {}));
  const kill = async () => {
    child.kill("SIGKILL");
    await ended;
  };
  const ready = readyLine(child, ended, said).then((baseUrl) => ({
    baseUrl,
    dynamodbEndpoint: /^ {2}DynamoDB +(\S+)/m.exec(said.stdout)?.[1] ?? "",
    stderr: () => said.stderr,
    ask: (order: Order) => answers(order),
    kill,
    stop: () => {
      child.kill("SIGTERM");
      return ended;
    },
  }));
  return { ready, kill };
}

function readyLine(
  child: ChildProcess,
  ended: Promise<number | null>,
  said: { stdout: string; stderr: string },
): Promise<string> {
  return new Promise((resolve, reject) => {
    const fail = (why: string) => {
      child.kill("SIGKILL");
      reject(new Error(`the product ${why}: ${said.stderr}`));
    };
    const late = setTimeout(() => fail(`was not ready in ${READY_WITHIN_MS} ms`), READY_WITHIN_MS);
    void ended.then((code) => fail(`ended with ${code}`));
    child.stdout?.on("data", (chunk: Buffer) => {
      said.stdout = (said.stdout + chunk).slice(-STDERR_KEPT);
      const [, url] = /^ready (\S+)\n/m.exec(said.stdout) ?? [];
      if (url === undefined) return;
      clearTimeout(late);
      resolve(url);
    });
  });
}

/** An order that was carried out comes back with what it brought; everything else is told. */
function openAnswers(child: ChildProcess, onTold: (told: unknown) => void) {
  const waiting = new Map<string, (value: unknown) => void>();
  child.on("message", (message: unknown) => {
    const { done, value } = Object(message) as { readonly done?: string; readonly value?: unknown };
    if (done === undefined) return onTold(message);
    waiting.get(done)?.(value);
    waiting.delete(done);
  });
  return (order: Order) =>
    new Promise<unknown>((resolve, reject) => {
      waiting.set(order, resolve);
      child.once("close", () => reject(new Error(`the product ended before it answered ${order}`)));
      child.send(order, (error) => error && reject(error));
    });
}
