import { randomBytes, randomUUID } from "node:crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { APIGatewayProxyEvent } from "aws-lambda";
import { INTEGRATION_TIMEOUT_S } from "../../lib/limits.ts";
import type { Route } from "../../lib/routes.ts";
import { isCalledBy, isFromPage, pageRefusal } from "../browser.ts";
import type { Exchange } from "../decisions.ts";
import { listen } from "../listen.ts";
import { reasonOf, StartError } from "../start-error.ts";
import {
  frontAnswer,
  functionAnswer,
  type GatewayAnswer,
  gatewayResponse,
  type RequestIds,
} from "./gateway-answer.ts";
import { gatewayEvent } from "./gateway-event.ts";
import { type Invoke, invocationContext } from "./invocation.ts";
import { resourceMatcher } from "./resource-match.ts";

/** Limits of a REST API and of Lambda, from their quota pages. */
const HEAD_BYTES_MAX = 10_240;
const BODY_BYTES_MAX = 10 * 1024 * 1024;
const EVENT_BYTES_MAX = 6 * 1024 * 1024;

const KEEP_ALIVE_MS = 75_000;

export interface GatewayOptions {
  readonly invoke: Invoke;
  readonly routes: readonly Route[];
  /** What only a local run answers; it comes before all routes. */
  readonly own?: readonly OwnRoute[];
  /** 0 takes a free one. */
  readonly port: number;
  /** Served under `/<stage>` as a deployed REST API is; undefined behaves as a custom domain does. */
  readonly stage?: string | undefined;
  /** Names by which this machine is called beside its own, in lower case. */
  readonly hosts?: readonly string[];
  readonly integrationTimeoutMs?: number;
  /** Told what a function threw. */
  readonly onFunctionError?: (error: unknown) => void;
  /** Told of every answer, before it is sent. */
  readonly onAnswer?: (exchange: Exchange) => void;
}

/** A path that is answered here and by no function of the product. Returns what a function does. */
export interface OwnRoute {
  readonly method: "GET";
  readonly path: string;
  readonly handler: (event: APIGatewayProxyEvent) => Promise<unknown>;
}

export interface Gateway {
  /** With the stage, without a slash at the end. */
  readonly baseUrl: string;
  /** Calls whose function has not ended. */
  underWay(): number;
  /** Takes no more requests and waits for the invocations under way, at most `graceMs`. */
  close(graceMs?: number): Promise<void>;
}

/**
 * Listens on 127.0.0.1 and does to requests what API Gateway does: events for our functions, their answers, and answers
 * of its own. An invocation goes on to its end when its client has gone, as in Lambda: what it reserved it must settle.
 *
 * Throws a StartError when the port is taken.
 */
export async function startGateway(options: GatewayOptions): Promise<Gateway> {
  const match = resourceMatcher(options.routes);
  const underWay = new Set<Promise<void>>();
  const invocations = new Set<Promise<void>>();
  const server = createServer({ maxHeaderSize: 4 * HEAD_BYTES_MAX }, (incoming, outgoing) => {
    const ids = newIds();
    const atMs = Date.now();
    const answered = answerTo(incoming, ids)
      .then((answer) => {
        options.onAnswer?.(exchangeOf(incoming, answer, atMs));
        send(outgoing, answer, incoming.method === "HEAD");
      })
      .finally(() => underWay.delete(answered));
    underWay.add(answered);
  });
  // Longer than any client of ours keeps an idle connection: one that is closed under a request looks like a lost call.
  server.keepAliveTimeout = KEEP_ALIVE_MS;
  server.on("clientError", (error: NodeJS.ErrnoException, socket) => {
    const status =
      error.code === "HPE_HEADER_OVERFLOW" ? "431 Request Header Fields Too Large" : "400 Bad Request";
    if (socket.writable) socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
  });

  const port = await listenOn(server, options.port);
  const domainName = `127.0.0.1:${port}`;
  const { hosts = [] } = options;
  const prefix = options.stage === undefined ? "" : `/${options.stage}`;

  async function answerTo(incoming: IncomingMessage, ids: RequestIds): Promise<GatewayAnswer> {
    const receivedMs = Date.now();
    const method = incoming.method ?? "GET";
    const target = incoming.url ?? "/";
    const body = await bodyOf(incoming);
    if (headBytes(incoming) > HEAD_BYTES_MAX) {
      return frontAnswer(431, "Request Header Fields Too Large", "RequestHeaderFieldsTooLargeException", ids);
    }
    if (isFromPage(incoming, hosts))
      return gatewayResponse("ACCESS_DENIED", ids, pageRefusal(incoming, hosts));
    if (!target.startsWith("/")) return frontAnswer(400, "Bad Request", "BadRequestException", ids);

    const question = target.indexOf("?");
    const fullPath = question < 0 ? target : target.slice(0, question);
    if (fullPath !== prefix && !fullPath.startsWith(`${prefix}/`)) {
      return frontAnswer(403, "Forbidden", "ForbiddenException", ids);
    }
    const path = fullPath.slice(prefix.length) || "/";

    const own = options.own?.find((route) => route.method === method && route.path === path);
    const found = own ? { resource: own.path, pathParameters: null, ...own } : match(method, path);
    if (found === undefined) return gatewayResponse("MISSING_AUTHENTICATION_TOKEN", ids);
    if (body === "too large") return gatewayResponse("REQUEST_TOO_LARGE", ids);
    if (body === "cut short") return gatewayResponse("DEFAULT_4XX", ids);

    const event = gatewayEvent({
      method,
      path,
      query: question < 0 ? "" : target.slice(question + 1),
      rawHeaders: incoming.rawHeaders,
      body,
      resource: found.resource,
      pathParameters: found.pathParameters,
      sourceIp: incoming.socket.remoteAddress ?? "127.0.0.1",
      protocol: `HTTP/${incoming.httpVersion}`,
      // Links and base URLs lead back to where the caller can reach us.
      domainName: isCalledBy(incoming, hosts) ? (incoming.headers.host ?? domainName) : domainName,
      port,
      stage: options.stage,
      requestId: ids.requestId,
      extendedRequestId: ids.extendedRequestId,
      receivedMs,
    });
    if (body.length > EVENT_BYTES_MAX / 2 && Buffer.byteLength(JSON.stringify(event)) > EVENT_BYTES_MAX) {
      return gatewayResponse("REQUEST_TOO_LARGE", ids);
    }
    if ("handler" in found) return integrate(() => found.handler(event), ids);
    return integrate(() => options.invoke(found.function, event, invocationContext(found.function)), ids);
  }

  /** An invocation that is late is answered for, and goes on: `underWay` holds it until it has ended. */
  async function integrate(invoke: () => Promise<unknown>, ids: RequestIds): Promise<GatewayAnswer> {
    const invoked = invoke().then(
      (returned) => functionAnswer(returned, ids) ?? gatewayResponse("DEFAULT_5XX", ids),
      (error: unknown) => {
        options.onFunctionError?.(error);
        return gatewayResponse("DEFAULT_5XX", ids);
      },
    );
    const ended = invoked
      .then(() => {})
      .finally(() => {
        underWay.delete(ended);
        invocations.delete(ended);
      });
    underWay.add(ended);
    invocations.add(ended);

    const late = deadline(options.integrationTimeoutMs ?? INTEGRATION_TIMEOUT_S * 1000);
    const answer = await Promise.race([invoked, late.passed]);
    late.cancel();
    return answer ?? gatewayResponse("INTEGRATION_TIMEOUT", ids);
  }

  return {
    baseUrl: `http://${domainName}${prefix}`,
    underWay: () => invocations.size,
    close: async (graceMs = 5_000) => {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeIdleConnections();
      const grace = deadline(graceMs);
      await Promise.race([allEnded(underWay), grace.passed]);
      grace.cancel();
      server.closeAllConnections();
      await closed;
    },
  };
}

const exchangeOf = (incoming: IncomingMessage, answer: GatewayAnswer, atMs: number): Exchange => ({
  atMs,
  method: incoming.method ?? "GET",
  path: incoming.url?.split("?", 1)[0] ?? "/",
  authorization: incoming.headers.authorization,
  answer,
});

function newIds(): RequestIds {
  return { requestId: randomUUID(), extendedRequestId: `${randomBytes(11).toString("base64url")}=` };
}

async function listenOn(server: Server, port: number): Promise<number> {
  try {
    return await listen(server, port);
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : undefined;
    if (code === "EADDRINUSE")
      throw new StartError(`port ${port} is taken; set PORT to another one, or to 0 for a free one`);
    if (code === "EACCES")
      throw new StartError(
        `this user may not use port ${port}; set PORT to 1024 or above, or to 0 for a free one`,
      );
    throw new StartError(
      `cannot listen on port ${port} of 127.0.0.1: ${reasonOf(error)}; set PORT to another one, or to 0 for a free one`,
    );
  }
}

/** Reads a body to its end, even one that is too large: a client that still sends would not see the answer. */
async function bodyOf(incoming: IncomingMessage): Promise<Buffer | "too large" | "cut short"> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const chunk of incoming) {
      bytes += chunk.length;
      if (bytes <= BODY_BYTES_MAX) chunks.push(chunk);
    }
  } catch {
    return "cut short";
  }
  return bytes > BODY_BYTES_MAX ? "too large" : Buffer.concat(chunks);
}

function headBytes(incoming: IncomingMessage): number {
  const requestLine = `${incoming.method} ${incoming.url} HTTP/${incoming.httpVersion}\r\n`;
  const separators = incoming.rawHeaders.length * 2;
  return incoming.rawHeaders.reduce(
    (bytes, text) => bytes + Buffer.byteLength(text),
    requestLine.length + separators,
  );
}

function send(outgoing: ServerResponse, answer: GatewayAnswer, isHead: boolean): void {
  for (const [name, value] of answer.headers) outgoing.appendHeader(name, value);
  outgoing.statusCode = answer.status;
  const hasBody = answer.status !== 204 && answer.status !== 304;
  if (hasBody) outgoing.setHeader("Content-Length", answer.body.length);
  outgoing.end(hasBody && !isHead ? answer.body : undefined);
}

function deadline(afterMs: number): { readonly passed: Promise<undefined>; readonly cancel: () => void } {
  let timer: NodeJS.Timeout | undefined;
  const passed = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), afterMs);
  });
  return { passed, cancel: () => clearTimeout(timer) };
}

async function allEnded(tasks: ReadonlySet<Promise<void>>): Promise<void> {
  while (tasks.size > 0) await Promise.allSettled(tasks);
}
