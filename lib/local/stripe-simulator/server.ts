import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { openAccount } from "./account.ts";
import { type Api, answerApiRequest, type Reply } from "./api.ts";
import { vendorBooks } from "./books.ts";
import { openFaults, readFaultOrder } from "./faults.ts";
import { openIdempotencyKeys } from "./idempotency.ts";
import { newId } from "./ids.ts";
import { headerText, openRequestLog, type RequestLog } from "./request-log.ts";

export interface StripeSimulator {
  /** http://127.0.0.1:port */
  readonly origin: string;
  /** Stops at once: open connections are cut, requests that wait are dropped. */
  close(): Promise<void>;
}

export interface StripeSimulatorOptions {
  /** 0, the default, takes a free one. */
  readonly port?: number;
  /** If given, any other key is a 401. */
  readonly secretKey?: string;
  /** Milliseconds since 1970. */
  readonly now?: () => number;
  /** How long every execution waits before it changes anything. */
  readonly latencyMs?: number;
}

/**
 * Starts a stand-in for Stripe on 127.0.0.1: one test account, empty, that keeps its state until it is closed. It
 * serves the endpoints of routes.ts under /v1 and, beside them, its own, which need no key:
 *
 * - `GET /books`: what was spent, by Stripe's own reckoning (books.ts).
 * - `GET /requests`, `DELETE /requests`: every API request as it came (request-log.ts).
 * - `GET /faults`, `POST /faults`, `DELETE /faults`: what shall go wrong (faults.ts).
 *
 * Where it differs from Stripe on purpose: any `cus_…` or `pm_…` id exists once it is named (references.ts), there is
 * no least amount (params.ts), no rate limit, and `Stripe-Account` is logged but changes nothing.
 */
export async function startStripeSimulator(options: StripeSimulatorOptions = {}): Promise<StripeSimulator> {
  const nowMs = options.now ?? Date.now;
  const closing = new AbortController();
  const log = openRequestLog();
  const api: Api = {
    account: openAccount(nowMs),
    faults: openFaults(),
    idempotencyKeys: openIdempotencyKeys(nowMs),
    secretKey: options.secretKey,
    latencyMs: options.latencyMs ?? 0,
    closed: closing.signal,
  };

  const server = createServer({ keepAliveTimeout: 65_000 }, (request, response) => {
    answer(api, log, request, response).catch((error: unknown) => {
      if (!request.destroyed || request.complete)
        console.error("stripe simulator: a request failed here", error);
      response.destroy();
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen({ host: "127.0.0.1", port: options.port ?? 0, backlog: 1024 }, resolve);
  });
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the simulator has no port");

  return {
    origin: `http://127.0.0.1:${address.port}`,
    close: () =>
      new Promise((resolve, reject) => {
        closing.abort();
        server.close((error) => (error === undefined ? resolve() : reject(error)));
        server.closeAllConnections();
      }),
  };
}

async function answer(
  api: Api,
  log: RequestLog,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const body = await bodyOf(request);
  const { method = "", url = "", headers } = request;
  const [path = "", ...query] = url.split("?");
  // A page in a browser reaches this port, too; what it sends names its origin, and controls nothing here.
  const own = headers.origin === undefined ? answerOwn(api, log, `${method} ${path}`, body) : undefined;
  if (own !== undefined) {
    const headers = { "Content-Type": "application/json" };
    return send(response, { kind: "answer", headers, status: own.status, body: JSON.stringify(own.body) });
  }

  const requestId = newId.request();
  log.add(request, body, requestId, api.account.nowMs());
  const reply = await answerApiRequest(api, {
    requestId,
    method,
    path,
    query: query.join("?"),
    body,
    authorization: headers.authorization,
    contentType: headerText(headers["content-type"]),
    idempotencyKey: headerText(headers["idempotency-key"]),
    stripeVersion: headerText(headers["stripe-version"]),
  });
  send(response, reply);
}

/** The simulator's own endpoints; undefined for a request that is Stripe's to answer. */
function answerOwn(
  { account, faults }: Api,
  log: RequestLog,
  endpoint: string,
  body: string,
): { status: number; body: unknown } | undefined {
  switch (endpoint) {
    case "GET /books":
      return { status: 200, body: vendorBooks(account) };
    case "GET /requests":
      return { status: 200, body: log.list() };
    case "DELETE /requests":
      log.clear();
      return { status: 200, body: [] };
    case "GET /faults":
      return { status: 200, body: faults.list() };
    case "DELETE /faults":
      faults.clear();
      return { status: 200, body: [] };
    case "POST /faults": {
      const order = readFaultOrder(parseJson(body));
      if (typeof order === "string") return { status: 400, body: { error: { message: order } } };
      faults.add(order);
      return { status: 200, body: faults.list() };
    }
    default:
      return undefined;
  }
}

function send(response: ServerResponse, reply: Reply): void {
  if (reply.kind === "silence") return;
  if (reply.kind === "break") {
    response.destroy();
    return;
  }
  response.writeHead(reply.status, { ...reply.headers, "Content-Length": Buffer.byteLength(reply.body) });
  response.end(reply.body);
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of request) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

/** The JSON of a text, or undefined if it is none. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
