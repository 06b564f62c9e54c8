import { createServer, type Server, type Socket } from "node:net";
import { afterEach, describe, expect, test } from "vitest";
import { HttpsVendor } from "../../lambda/adapters/https-vendor.ts";
import type { OutboundRequest } from "../../lambda/ports/vendor-http.ts";

/** Guarantees that a request is sent once, and that every way to fail is told apart from the others. */

const servers: Server[] = [];
const sockets: Socket[] = [];

afterEach(() => {
  for (const socket of sockets.splice(0)) socket.destroy();
  for (const server of servers.splice(0)) server.close();
});

/** A vendor that speaks bytes: `onBytes` sees what arrives on each connection. */
async function vendor(onBytes: (socket: Socket, text: string) => void): Promise<string> {
  const server = createServer((socket) => {
    sockets.push(socket);
    socket.on("error", () => undefined);
    socket.on("data", (data) => onBytes(socket, data.toString("latin1")));
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  return `http://127.0.0.1:${address !== null && typeof address === "object" ? address.port : 0}`;
}

const requestTo = (origin: string, change: Partial<OutboundRequest> = {}): OutboundRequest => ({
  origin,
  method: "POST",
  target: "/v1/charges",
  headers: { authorization: "Bearer sk_test_1", "content-type": "application/x-www-form-urlencoded" },
  body: new TextEncoder().encode("amount=100&currency=usd"),
  timeoutMs: 5_000,
  ...change,
});

const OK =
  'HTTP/1.1 200 OK\r\nContent-Length: 11\r\nRequest-Id: req_1\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\n\r\n{"id":"x"} ';

describe("what became of a request", () => {
  test("an answer is returned byte for byte, with its headers in order", async () => {
    let received = "";
    const origin = await vendor((socket, text) => {
      received += text;
      if (received.includes("currency=usd")) socket.write(OK);
    });
    const reply = await new HttpsVendor().send(requestTo(origin));

    expect(received.split("\r\n")[0]).toBe("POST /v1/charges HTTP/1.1");
    expect(received.endsWith("\r\n\r\namount=100&currency=usd")).toBe(true);
    expect(reply).toMatchObject({
      kind: "answer",
      status: 200,
      headers: { "request-id": ["req_1"], "set-cookie": ["a=1", "b=2"] },
    });
    if (reply.kind === "answer") expect(Buffer.from(reply.body).toString()).toBe('{"id":"x"} ');
  });

  test("a connection that is refused was never a request", async () => {
    const origin = await vendor(() => undefined);
    for (const server of servers.splice(0)) await new Promise((resolve) => server.close(resolve));
    expect(await new HttpsVendor().send(requestTo(origin))).toMatchObject({ kind: "unreachable" });
  });

  test("a name that does not resolve was never a request", async () => {
    expect(await new HttpsVendor().send(requestTo("http://vendor.invalid"))).toMatchObject({
      kind: "unreachable",
    });
  });

  test("a server that speaks no TLS was never sent a request", async () => {
    let received = "";
    const origin = await vendor((socket, text) => {
      received += text;
      socket.end("HTTP/1.1 400 Bad Request\r\n\r\n");
    });
    expect(await new HttpsVendor().send(requestTo(origin.replace("http:", "https:")))).toMatchObject({
      kind: "unreachable",
    });
    expect(received).not.toContain("amount");
  });

  test.each([
    ["before any answer", ""],
    ["inside the headers", "HTTP/1.1 200 OK\r\nContent-"],
    ["inside a body of known length", 'HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{"id"'],
    ["inside a chunked body", 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{"id"\r\n'],
  ])("a connection that breaks %s leaves the outcome unknown", async (_, part) => {
    const origin = await vendor((socket) => {
      socket.write(part, () => socket.destroy());
    });
    expect(await new HttpsVendor().send(requestTo(origin))).toMatchObject({ kind: "broken" });
  });

  test("bytes that are not HTTP leave the outcome unknown", async () => {
    const origin = await vendor((socket) => socket.write("hello\r\n\r\n"));
    expect(await new HttpsVendor().send(requestTo(origin))).toMatchObject({ kind: "broken" });
  });

  test.each([200, 404])(
    "an answer of %i that is too large to return is told with its status",
    async (status) => {
      const origin = await vendor((socket) => {
        socket.write(
          `HTTP/1.1 ${status} X\r\nIdempotent-Replayed: true\r\nContent-Length: 5000000\r\n\r\n${"x".repeat(5_000_000)}`,
        );
      });
      expect(await new HttpsVendor().send(requestTo(origin))).toEqual({
        kind: "too_large",
        status,
        headers: { "idempotent-replayed": ["true"], "content-length": ["5000000"] },
        bytesMax: 4_500_000,
      });
    },
  );

  test("an answer of just as many bytes as can be returned is an answer", async () => {
    const origin = await vendor((socket) => {
      socket.write(`HTTP/1.1 200 OK\r\nContent-Length: 4500000\r\n\r\n${"x".repeat(4_500_000)}`);
    });
    expect(await new HttpsVendor().send(requestTo(origin))).toMatchObject({ kind: "answer", status: 200 });
  });

  test("no answer in time is a timeout, and the connection is closed", async () => {
    const origin = await vendor(() => undefined);
    expect(await new HttpsVendor().send(requestTo(origin, { timeoutMs: 50 }))).toEqual(
      expect.objectContaining({ kind: "timeout" }),
    );
    const [socket] = sockets;
    if (socket !== undefined && !socket.closed) await new Promise((resolve) => socket.once("close", resolve));
    expect(socket?.closed).toBe(true);
  });
});

test("a connection is kept for the next request", async () => {
  const origin = await vendor((socket) => socket.write(OK));
  const http = new HttpsVendor();
  await http.send(requestTo(origin));
  await http.send(requestTo(origin));
  expect(sockets).toHaveLength(1);
});

test("a request is sent once, however it fails", async () => {
  let requests = 0;
  const origin = await vendor((socket) => {
    requests += 1;
    socket.destroy();
  });
  await new HttpsVendor().send(requestTo(origin));
  expect(requests).toBe(1);
});
