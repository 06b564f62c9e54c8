import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from "node:http";
import { isFromPage } from "../../browser.ts";
import { listen } from "../../listen.ts";
import { type Breaches, openBreaches } from "./breaches.ts";
import { type FaultOrders, openFaultOrders } from "./faults.ts";
import { type OwnEndpoints, ownEndpoints, parseJson } from "./own-endpoints.ts";
import { type Reply, sendReply } from "./reply.ts";
import { openRequestLog } from "./request-log.ts";

export interface Simulator {
  /** http://127.0.0.1:port */
  readonly origin: string;
  /** Stops at once: open connections are cut, requests that wait are dropped. */
  close(): Promise<void>;
}

/** An HTTP request to the vendor's API, read to its end. */
export interface ReceivedRequest {
  readonly requestId: string;
  readonly method: string;
  /** Without its query, untouched. */
  readonly path: string;
  readonly query: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  /** The body as it came, where it may be no text. */
  readonly bytes: Buffer;
}

/** What one vendor adds to the server that all of them share. */
export interface VendorApi {
  /** How it is called in an error on the console. */
  readonly name: string;
  readonly newRequestId: () => string;
  /** See openRequestLog. */
  readonly keptHeaders: Readonly<Record<string, string>>;
  /** What `GET /books` answers with, beside the breaches; a sentence where its query is wrong. */
  readonly books: (query: URLSearchParams) => object | string;
  /** Endpoints of the simulator beside those that all have, by method and path. */
  readonly own: OwnEndpoints;
  readonly answer: (request: ReceivedRequest) => Promise<Reply>;
}

/** What a vendor is made with. */
export interface World {
  /** What shall go wrong. */
  readonly orders: FaultOrders;
  readonly breaches: Breaches;
  /** Ends all waiting. */
  readonly closed: AbortSignal;
}

/**
 * Starts a stand-in for a vendor on 127.0.0.1 at `port`, 0 for a free one, made by `open`.
 *
 * Beside the vendor's API it serves its own endpoints, which need no key, and which no page in a browser can use:
 *
 * - `GET /books`: what was spent, by the vendor's own reckoning, and what was asked for in vain (breaches.ts).
 * - `GET /requests`, `DELETE /requests`: every API request as it came (request-log.ts).
 * - `GET /faults`, `POST /faults`, `DELETE /faults`: what shall go wrong (faults.ts).
 */
export async function startVendorSimulator(
  port: number,
  nowMs: () => number,
  open: (world: World) => VendorApi,
): Promise<Simulator> {
  const closing = new AbortController();
  const orders = openFaultOrders();
  const breaches = openBreaches(nowMs);
  const vendor = open({ orders, breaches, closed: closing.signal });
  const log = openRequestLog(vendor.keptHeaders);
  const own = { ...ownEndpoints({ books: vendor.books, breaches, log, orders }), ...vendor.own };

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const bytes = await bodyOf(request);
    const body = bytes.toString();
    const { method = "", url = "", headers } = request;
    const [path = "", ...query] = url.split("?");
    const endpoint = `${method} ${path}`;
    // What carries a credential is for the vendor: a call that is let through to here shows as a breach.
    const isOwn = headers.authorization === undefined && !isFromPage(request) && Object.hasOwn(own, endpoint);
    const ownEndpoint = isOwn ? own[endpoint] : undefined;
    if (ownEndpoint !== undefined) {
      const json = body === "" ? undefined : (parseJson(body) ?? null);
      return sendReply(response, ownReply(ownEndpoint(json, new URLSearchParams(query.join("?")))));
    }

    const requestId = vendor.newRequestId();
    log.add(request, body, requestId, nowMs());
    sendReply(
      response,
      await vendor.answer({ requestId, method, path, query: query.join("?"), headers, body, bytes }),
    );
  }

  const server = createServer({ keepAliveTimeout: 65_000 }, (request, response) => {
    answer(request, response).catch((error: unknown) => {
      if (!request.destroyed || request.complete)
        console.error(`${vendor.name} simulator: a request failed here`, error);
      response.destroy();
    });
  });
  return {
    origin: `http://127.0.0.1:${await listen(server, port)}`,
    close: () =>
      new Promise((resolve, reject) => {
        closing.abort();
        server.close((error) => (error === undefined ? resolve() : reject(error)));
        server.closeAllConnections();
      }),
  };
}

function ownReply({ status, body }: { status: number; body: unknown }): Reply {
  return {
    kind: "answer",
    status,
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
  };
}

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of request) chunks.push(chunk);
  return Buffer.concat(chunks);
}
