import { spawn } from "node:child_process";
import { freePort } from "../../local/listen.ts";
import { eventually } from "../support/eventually.ts";

/** Where the installed programs are, told by run.ts. */
export const PEER_VARIABLES = { stripeMock: "PEER_STRIPE_MOCK", localstripe: "PEER_LOCALSTRIPE" } as const;

/** A test server of others that runs. */
export interface Peer {
  readonly origin: string;
  close(): Promise<void>;
}

/** Starts a program that listens on the port it is told, on 127.0.0.1 alone, and waits until it answers. */
export async function startPeer(
  program: string,
  argumentsAt: (port: number) => readonly string[],
): Promise<Peer> {
  const port = await freePort();
  const { PATH = "" } = process.env;
  const child = spawn(program, argumentsAt(port), { stdio: ["ignore", "ignore", "pipe"], env: { PATH } });
  let said = "";
  child.stderr.on("data", (chunk) => {
    said += chunk;
  });
  const ended = new Promise<void>((resolve) => child.once("close", () => resolve()));
  const origin = `http://127.0.0.1:${port}`;
  await eventually(async () => {
    if (child.exitCode !== null) throw new Error(`${program} ended with ${child.exitCode}: ${said}`);
    await fetch(origin);
  }, 40_000);
  return {
    origin,
    close: async () => {
      child.kill("SIGTERM");
      await ended;
    },
  };
}

/** localstripe's own command listens on every interface; its application does as it is told. */
export const LOCALSTRIPE =
  "import sys; from aiohttp import web; from localstripe.server import app; web.run_app(app, host='127.0.0.1', port=int(sys.argv[1]), print=None)";
