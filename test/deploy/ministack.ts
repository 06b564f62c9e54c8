import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import { dirname, join } from "node:path";
import { freePort } from "../../local/listen.ts";

/** An AWS account that stands in for the real one, on 127.0.0.1. */
export interface MiniStack {
  readonly endpoint: string;
  /** What a client of it needs, and nothing of the user's own AWS settings. */
  readonly environment: Readonly<Record<string, string>>;
  close(): Promise<void>;
}

const READY_WITHIN_MS = 60_000;

/**
 * Starts MiniStack (PyPI) with policies enforced: a role may do only what the template lets it do. Its functions run on
 * the Node that runs this. What it writes lies in `folder`; its log is `folder`/ministack.log.
 */
export async function startMiniStack(bin: string, folder: string): Promise<MiniStack> {
  const port = await freePort();
  const endpoint = `http://127.0.0.1:${port}`;
  // A file and not a pipe: it stops at its next line of log where nobody reads a pipe for a while.
  const log = openSync(join(folder, "ministack.log"), "w");
  const child = spawn(join(bin, "ministack"), [], {
    cwd: folder,
    // A group of its own, so that its functions end with it.
    detached: true,
    stdio: ["ignore", log, log],
    env: {
      PATH: `${dirname(process.execPath)}:${process.env["PATH"] ?? ""}`,
      HOME: folder,
      TMPDIR: folder,
      S3_DATA_DIR: join(folder, "s3"),
      BIND_HOST: "127.0.0.1",
      GATEWAY_PORT: `${port}`,
      AUTH: "true",
    },
  });
  closeSync(log);
  // In a group of its own no Ctrl-C reaches it. Without it whatever else is under way fails at once.
  const endEarly = () => endGroup(child);
  process.once("SIGINT", endEarly).once("SIGTERM", endEarly);
  const ended = new Promise<void>((resolve) => child.once("close", () => resolve()));
  const close = async () => {
    process.off("SIGINT", endEarly).off("SIGTERM", endEarly);
    endGroup(child);
    await ended;
  };
  try {
    await ready(endpoint, child);
  } catch (error) {
    await close();
    throw error;
  }
  return {
    endpoint,
    environment: {
      PATH: `${bin}:${dirname(process.execPath)}:${process.env["PATH"] ?? ""}`,
      HOME: folder,
      AWS_ENDPOINT_URL: endpoint,
      AWS_REGION: "us-east-1",
      AWS_DEFAULT_REGION: "us-east-1",
      AWS_ACCESS_KEY_ID: "test",
      AWS_SECRET_ACCESS_KEY: "test",
      AWS_PAGER: "",
      CDK_DISABLE_CLI_TELEMETRY: "true",
    },
    close,
  };
}

async function ready(endpoint: string, child: ChildProcess): Promise<void> {
  const deadlineMs = Date.now() + READY_WITHIN_MS;
  while (Date.now() < deadlineMs) {
    const ended = child.exitCode ?? child.signalCode;
    if (ended !== null) throw new Error(`MiniStack ended with ${ended}; see its log`);
    const answer = await fetch(`${endpoint}/_ministack/health`).catch(() => null);
    if (answer?.ok === true) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`MiniStack did not answer within ${READY_WITHIN_MS} ms`);
}

function endGroup({ pid }: ChildProcess): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, "SIGKILL");
  } catch {
    // It has ended already.
  }
}
