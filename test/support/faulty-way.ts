import http from "node:http";
import { createServer, type Server, type Socket } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { listen } from "../../local/listen.ts";

/** An answer of the way's own. */
export interface OwnAnswer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: string;
}

/** What becomes of one request. */
export interface Mishap {
  /** Milliseconds until anything happens to it. */
  readonly waitMs?: number;
  /** Whether it is carried out: before the answer, never, or so many milliseconds after the connection was cut. */
  readonly carriedOut: boolean | { readonly laterMs: number };
  /** What the sender gets: the true answer, no answer, half of the true one, or another one. */
  readonly answer: "true" | "cut" | "half" | OwnAnswer;
  /** Runs after it was carried out, before its answer is known. */
  readonly between?: () => Promise<unknown>;
}

/** A request of the SDK. */
export interface Asked {
  /** Such as `UpdateItem`. */
  readonly operation: string;
  readonly body: Buffer;
}

export interface FaultyWay {
  readonly endpoint: string;
  /** Cuts every connection that nothing is under way on, and lets none open until this many milliseconds are over. */
  refuse(forMs: number): Promise<void>;
  close(): Promise<void>;
}

interface Answered {
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  readonly body: Buffer;
}

/** Stands between an SDK and a service of AWS that speaks JSON. `befall` says what becomes of each request; null: nothing. */
export async function startFaultyWay(
  target: string,
  befall: (asked: Asked) => Mishap | null,
): Promise<FaultyWay> {
  const { hostname, port } = new URL(target);
  const agent = new http.Agent({ keepAlive: true, maxSockets: 256 });
  const later = new Set<Promise<unknown>>();

  const carryOut = (headers: http.IncomingHttpHeaders, body: Buffer): Promise<Answered> =>
    new Promise((resolve, reject) => {
      const options = { hostname, port, method: "POST", path: "/", headers, agent };
      const request = http.request(options, (response) => {
        const { statusCode: status = 0 } = response;
        bytesOf(response).then(
          (bytes) => resolve({ status, headers: response.headers, body: bytes }),
          reject,
        );
      });
      request.on("error", reject);
      request.end(body);
    });

  async function answer(request: http.IncomingMessage, response: http.ServerResponse): Promise<void> {
    const body = await bytesOf(request);
    const operation = `${request.headers["x-amz-target"]}`.split(".").at(-1) ?? "";
    const mishap = befall({ operation, body }) ?? NO_MISHAP;
    if (mishap.waitMs !== undefined) await delay(mishap.waitMs);
    // The service may end before those who still read its stream.
    const run = () => carryOut(request.headers, body).catch(() => null);
    const { carriedOut } = mishap;
    const answered = carriedOut === true ? await run() : null;
    await mishap.between?.();
    if (typeof carriedOut === "object") {
      const landing = delay(carriedOut.laterMs).then(run);
      later.add(landing);
      void landing.finally(() => later.delete(landing));
    }
    if (typeof mishap.answer === "object") give(response, mishap.answer);
    else if (answered === null || mishap.answer === "cut") request.socket.destroy();
    else if (mishap.answer === "half") giveHalf(request.socket, response, answered);
    else response.writeHead(answered.status, answered.headers).end(answered.body);
  }

  const server = http.createServer((request, response) => {
    answer(request, response).catch(() => request.socket.destroy());
  });
  /** Connection -> requests that are under way on it. */
  const sockets = new Map<Socket, number>();
  const count = (socket: Socket, by: number) => {
    const underWay = sockets.get(socket);
    if (underWay !== undefined) sockets.set(socket, underWay + by);
  };
  server.on("request", ({ socket }, response) => {
    count(socket, 1);
    response.once("close", () => count(socket, -1));
  });
  const accept = (socket: Socket) => {
    sockets.set(socket, 0);
    socket.once("close", () => sockets.delete(socket));
    server.emit("connection", socket);
  };
  // A server of its own: one of node:http ends with all its connections, and listens again only then.
  let door = createServer(accept);
  const ownPort = await listen(door, 0);
  let refusing: Promise<void> | undefined;

  async function refuse(forMs: number): Promise<void> {
    door.close();
    for (const [socket, underWay] of sockets) if (underWay === 0) socket.destroy();
    await delay(forMs);
    door = createServer(accept);
    await listenAgain(door, ownPort);
  }

  return {
    endpoint: `http://127.0.0.1:${ownPort}`,
    refuse: (forMs) => {
      refusing ??= refuse(forMs).finally(() => {
        refusing = undefined;
      });
      return refusing;
    },
    close: async () => {
      await refusing;
      await Promise.all(later);
      door.close();
      for (const socket of sockets.keys()) socket.destroy();
      agent.destroy();
    },
  };
}

const NO_MISHAP: Mishap = { carriedOut: true, answer: "true" };

async function bytesOf(message: http.IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of message) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

const give = (response: http.ServerResponse, { status, headers, body }: OwnAnswer): void => {
  response.writeHead(status, { "content-type": "application/x-amz-json-1.0", ...headers }).end(body);
};

/** Its head says how long it is, so the other side knows that it is cut short. */
function giveHalf(socket: Socket, response: http.ServerResponse, { status, headers, body }: Answered): void {
  const { "transfer-encoding": _, ...head } = headers;
  response.writeHead(status, { ...head, "content-length": `${body.length}` });
  response.write(body.subarray(0, Math.floor(body.length / 2)), () => socket.destroy());
}

const TRIES_MAX = 20;

/** Another program may take the port meanwhile, though hardly for long. */
async function listenAgain(server: Server, port: number): Promise<void> {
  for (let tries = 1; ; tries++) {
    try {
      await listen(server, port);
      return;
    } catch (error) {
      if (tries === TRIES_MAX) throw error;
      await delay(50);
    }
  }
}
