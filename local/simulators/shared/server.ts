import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from "node:http";
import { isFromPage } from "../../browser.ts";
import { listen } from "../../listen.ts";
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
export interface VendorRequest {
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
export interface Vendor {
  /** How it is called in an error on the console. */
  readonly name: string;
  readonly nowMs: () => number;
  readonly newRequestId: () => string;
  /** See openRequestLog. */
  readonly keptHeaders: Readonly<Record<string, string>>;
  /** What `GET /books` answers with. */
  readonly books: () => unknown;
  /** Endpoints of the simulator beside those that all have, by method and path. */
  readonly own: OwnEndpoints;
  readonly answer: (request: VendorRequest) => Promise<Reply>;
}

/**
 * Starts a stand-in for a vendor on 127.0.0.1 at `port`, 0 for a free one. `open` makes the vendor: it is given what
 * shall go wrong, and the signal that ends all waiting.
 *
 * Beside the vendor's API it serves its own endpoints, which need no key, and which no page in a browser can use:
 *
 * - `GET /books`: what was spent, by the vendor's own reckoning.
 * - `GET /requests`, `DELETE /requests`: every API request as it came (request-log.ts).
 * - `GET /faults`, `POST /faults`, `DELETE /faults`: what shall go wrong (faults.ts).
 */
export async function startVendorSimulator(
  port: number,
  open: (faults: FaultOrders, closed: AbortSignal) => Vendor,
): Promise<Simulator> {
  const closing = new AbortController();
  const faults = openFaultOrders();
  const vendor = open(faults, closing.signal);
  const log = openRequestLog(vendor.keptHeaders);
  const own = { ...ownEndpoints(vendor.books, log, faults), ...vendor.own };

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const bytes = await bodyOf(request);
    const body = bytes.toString();
    const { method = "", url = "", headers } = request;
    const [path = "", ...query] = url.split("?");
    const endpoint = `${method} ${path}`;
    const ownEndpoint = !isFromPage(request) && Object.hasOwn(own, endpoint) ? own[endpoint] : undefined;
    if (ownEndpoint !== undefined) {
      const json = body === "" ? undefined : (parseJson(body) ?? null);
      return sendReply(response, ownReply(ownEndpoint(json, new URLSearchParams(query.join("?")))));
    }

    const requestId = vendor.newRequestId();
    log.add(request, body, requestId, vendor.nowMs());
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
