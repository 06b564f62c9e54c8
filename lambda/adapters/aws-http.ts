import http from "node:http";
import https from "node:https";
import type { KeptAgents } from "./kept-agents.ts";

export interface AwsReply {
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  readonly body: Buffer;
}

/** Four times what a service answers at most (16 MB, "BatchGetItem", API reference of DynamoDB, read 2026-11-28). */
const ANSWER_BYTES_MAX = 64_000_000;

/**
 * Posts a body once and reads the whole answer.
 *
 * It rejects as the SDK's own handler does, by what sendFailure and the SDK's retries read: a connection that does not open in
 * time is an error of the call `connect`, with Node's own code; an answer that does not come in time is a `TimeoutError`; one that
 * breaks off is Node's error of the socket. One that does not end is given up.
 *
 * `timeoutMs`: for the whole exchange, the connection included.
 */
export function postOnce(
  url: URL,
  headers: Record<string, string>,
  body: string,
  { agents, timeoutMs }: { readonly agents: KeptAgents; readonly timeoutMs: number },
): Promise<AwsReply> {
  agents.closeIdle();
  const secure = url.protocol === "https:";
  const options = {
    agent: secure ? agents.https : agents.http,
    hostname: url.hostname.replace(/^\[|\]$/g, ""),
    port: url.port,
    method: "POST",
    path: "/",
    headers,
  };
  return new Promise((resolve, reject) => {
    let connected = false;
    const request = (secure ? https : http).request(options);
    const failed = (error: unknown) => {
      clearTimeout(timer);
      reject(error);
    };
    const timer = setTimeout(() => {
      failed(connected ? noAnswer(timeoutMs) : notConnected(timeoutMs));
      request.destroy();
    }, timeoutMs);
    // Nothing of a request leaves before its socket is open; a socket from the pool is open already.
    request.once("socket", (socket) => {
      if (!socket.connecting) connected = true;
      else
        socket.once("connect", () => {
          connected = true;
        });
    });
    request.on("error", failed);
    request.once("response", (response) => {
      const chunks: Buffer[] = [];
      let bytes = 0;
      response.on("data", (chunk: Buffer) => {
        bytes += chunk.length;
        if (bytes <= ANSWER_BYTES_MAX) return chunks.push(chunk);
        failed(new Error(`the answer has more than ${ANSWER_BYTES_MAX} bytes`));
        return request.destroy();
      });
      response.on("error", failed);
      response.once("end", () => {
        if (!response.complete) return failed(new Error("the answer was cut short"));
        clearTimeout(timer);
        const [only] = chunks;
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          body: only !== undefined && chunks.length === 1 ? only : Buffer.concat(chunks),
        });
      });
    });
    // Text goes out with its headers in one write.
    request.end(body);
  });
}

const notConnected = (timeoutMs: number): Error =>
  Object.assign(new Error(`no connection opened within ${timeoutMs} ms`), {
    name: "TimeoutError",
    code: "ETIMEDOUT",
    syscall: "connect",
  });

const noAnswer = (timeoutMs: number): Error =>
  Object.assign(new Error(`no whole answer came within ${timeoutMs} ms`), { name: "TimeoutError" });
