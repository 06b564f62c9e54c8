import http from "node:http";
import https from "node:https";
import type { Headers } from "../domain/vendor.ts";
import type { OutboundRequest, VendorHttp, VendorReply } from "../ports/vendor-http.ts";
import { keptAgents } from "./kept-agents.ts";

const SOCKETS_MAX = 512;
/**
 * An answer that is larger cannot be returned by a function: base64 in 6 MB (6,291,556 bytes, "Payload for each invocation" in
 * docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html; a REST API passes 10 MB, read 2026-11-27).
 */
const ANSWER_BYTES_MAX = 4_500_000;

interface Place {
  readonly origin: string;
  readonly secure: boolean;
  readonly hostname: string;
  readonly port: string;
}

/**
 * Sends calls to vendors byte for byte, over connections that are kept.
 *
 * It never repeats anything, and tells four failures apart: not a byte left, the answer did not come whole, it was too
 * large, no answer in time.
 */
export class HttpsVendor implements VendorHttp {
  readonly #agents = keptAgents(SOCKETS_MAX);

  /** Where the last call went: most go to one vendor. */
  #last: Place | null = null;

  #placeOf(origin: string): Place {
    if (this.#last?.origin === origin) return this.#last;
    const { protocol, hostname, port } = new URL(origin);
    const place = { origin, secure: protocol === "https:", hostname: hostname.replace(/^\[|\]$/g, ""), port };
    this.#last = place;
    return place;
  }

  send({ origin, method, target, headers, body, timeoutMs }: OutboundRequest): Promise<VendorReply> {
    const { secure, hostname, port } = this.#placeOf(origin);
    this.#agents.closeIdle();
    const options = {
      agent: secure ? this.#agents.https : this.#agents.http,
      hostname,
      port,
      method,
      path: target,
      headers: {
        ...headers,
        ...(body.length > 0 || method === "POST" ? { "content-length": body.length } : {}),
      },
    };
    return new Promise((resolve) => {
      let connected = false;
      let request: http.ClientRequest;
      try {
        request = (secure ? https : http).request(options);
      } catch (cause) {
        // A header that cannot be written: nothing was opened.
        resolve({ kind: "unreachable", cause });
        return;
      }
      const timer = setTimeout(
        () => end({ kind: connected ? "timeout" : "unreachable", cause: new Error("no connection in time") }),
        Math.max(1, timeoutMs),
      );
      const end = (reply: VendorReply) => {
        clearTimeout(timer);
        resolve(reply);
        if (reply.kind !== "answer") request.destroy();
      };
      const failed = (cause: unknown) => end({ kind: connected ? "broken" : "unreachable", cause });

      // A request is written only once its socket is open; a socket from the pool is open already.
      request.on("socket", (socket) => {
        if (!socket.connecting) connected = true;
        else
          socket.once(secure ? "secureConnect" : "connect", () => {
            connected = true;
          });
      });
      request.on("error", failed);
      request.on("response", (response) => {
        const chunks: Buffer[] = [];
        let bytes = 0;
        response.on("data", (chunk: Buffer) => {
          bytes += chunk.length;
          if (bytes <= ANSWER_BYTES_MAX) chunks.push(chunk);
          else
            end({
              kind: "too_large",
              status: response.statusCode ?? 0,
              headers: byName(pairs(response.rawHeaders)),
              bytesMax: ANSWER_BYTES_MAX,
            });
        });
        response.on("error", failed);
        response.on("aborted", () => failed(new Error("the answer was cut short")));
        response.on("end", () => {
          if (!response.complete) return failed(new Error("the answer was cut short"));
          const rawHeaders = pairs(response.rawHeaders);
          end({
            kind: "answer",
            status: response.statusCode ?? 0,
            headers: byName(rawHeaders),
            rawHeaders,
            body: Buffer.concat(chunks),
          });
        });
      });
      request.end(body);
    });
  }
}

const pairs = (raw: readonly string[]): readonly (readonly [string, string])[] =>
  Array.from(
    { length: raw.length / 2 },
    (_, index) => [raw[2 * index] ?? "", raw[2 * index + 1] ?? ""] as const,
  );

function byName(raw: readonly (readonly [string, string])[]): Headers {
  const headers = new Map<string, string[]>();
  for (const [written, value] of raw) {
    const name = written.toLowerCase();
    const before = headers.get(name);
    if (before === undefined) headers.set(name, [value]);
    else before.push(value);
  }
  return Object.fromEntries(headers);
}
