import http from "node:http";
import type { AddressInfo } from "node:net";

/**
 * What becomes of one request: its answer is lost after it was carried out, or it never arrives, or it is answered with an
 * error of this name and not carried out; `where`: only a request that has this text.
 */
export type Fault = "reply_lost" | "never_arrives" | Refusal;

interface Refusal {
  readonly error: string;
  readonly status: number;
  readonly where?: string;
}

export interface FaultProxy {
  readonly endpoint: string;
  /** Operations that arrived since the last call of `fail`, such as `UpdateItem`. */
  readonly seen: readonly string[];
  /** Lets the next requests of an operation fail. `between`: runs after it was carried out, before it is known. */
  fail(operation: string, fault: Fault, times: number, between?: () => Promise<unknown>): void;
  /** Lets the next requests of an operation fail, one after the other. */
  failEach(operation: string, faults: readonly Fault[]): void;
  /** Answers every request with an error until it is told null. */
  failAll(fault: Refusal | null): void;
  close(): Promise<void>;
}

/** Stands between the SDK and the database engine, and breaks connections on demand. */
export async function startFaultProxy(target: string): Promise<FaultProxy> {
  const seen: string[] = [];
  const faults: { operation: string; fault: Fault; between: () => Promise<unknown> }[] = [];
  let always: Refusal | null = null;
  const { hostname, port } = new URL(target);

  const carryOut = (headers: http.IncomingHttpHeaders, body: Buffer) =>
    new Promise<{ status: number; headers: http.IncomingHttpHeaders; body: Buffer }>((resolve, reject) => {
      const request = http.request(
        { hostname, port, method: "POST", path: "/", headers },
        async (response) => {
          const chunks: Buffer[] = [];
          for await (const chunk of response) chunks.push(chunk as Buffer);
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            body: Buffer.concat(chunks),
          });
        },
      );
      request.on("error", reject);
      request.end(body);
    });

  const server = http.createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const operation = `${request.headers["x-amz-target"]}`.split(".").at(-1) ?? "";
    seen.push(operation);
    const isMeant = ({ fault }: { fault: Fault }) =>
      typeof fault !== "object" || Buffer.concat(chunks).includes(fault.where ?? "");
    const index = faults.findIndex((fault) => fault.operation === operation && isMeant(fault));
    const [fault] = index < 0 ? [] : faults.splice(index, 1);
    const refused = always ?? fault?.fault;
    if (typeof refused === "object") {
      const { error, status } = refused;
      const body = { __type: `com.amazonaws.dynamodb.v20120810#${error}`, message: "on demand" };
      response.writeHead(status, { "content-type": "application/x-amz-json-1.0" }).end(JSON.stringify(body));
      return;
    }
    // The engine may end before those who still read its stream.
    const answer =
      fault?.fault === "never_arrives"
        ? null
        : await carryOut(request.headers, Buffer.concat(chunks)).catch(() => null);
    await fault?.between();
    if (answer === null || fault !== undefined) request.socket.destroy();
    else response.writeHead(answer.status, answer.headers).end(answer.body);
  });
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  const { port: ownPort } = server.address() as AddressInfo;
  return {
    endpoint: `http://127.0.0.1:${ownPort}`,
    seen,
    fail(operation, fault, times, between = async () => {}) {
      seen.length = 0;
      faults.length = 0;
      for (let time = 0; time < times; time++) faults.push({ operation, fault, between });
    },
    failEach(operation, each) {
      seen.length = 0;
      faults.length = 0;
      for (const fault of each) faults.push({ operation, fault, between: async () => {} });
    },
    failAll(fault) {
      always = fault;
    },
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}
