import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { postOnce } from "../../lambda/adapters/aws-http.ts";
import { sendFailure } from "../../lambda/adapters/dynamo-errors.ts";
import { type KeptAgents, keptAgents } from "../../lambda/adapters/kept-agents.ts";
import { eventually } from "../support/eventually.ts";

/** Guarantees that what goes wrong on a connection to AWS is told apart: not a byte left, or nobody knows. */

const TIMEOUT_MS = 150;
/** For what has an answer, however busy the machine is. */
const LONG_MS = 10_000;
const whole = (body: string) => `HTTP/1.1 200 OK\r\ncontent-length: ${body.length}\r\n\r\n${body}`;

let server: Server;
let url: URL;
let agents: KeptAgents;
/** What each connection got, as text. */
let got: string[];
/** What becomes of a request: told of each once its body is whole. */
let onRequest: (socket: Socket, body: string) => void;

beforeEach(async () => {
  [got, onRequest] = [[], (socket) => socket.write(whole("{}"))];
  agents = keptAgents(1);
  server = createServer((socket) => {
    const at = got.push("") - 1;
    socket.on("error", () => {});
    socket.on("data", (chunk) => {
      got[at] += chunk.toString();
      const body = /\r\n\r\n(\{"n":\d\})$/.exec(got[at] ?? "")?.[1];
      if (body !== undefined) onRequest(socket, body);
    });
  });
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  url = new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
});
afterEach(async () => {
  for (const agent of [agents.http, agents.https]) agent.destroy();
  await new Promise((resolve) => server.close(resolve));
});

const post = (n: number, timeoutMs = TIMEOUT_MS) =>
  postOnce(url, { host: url.host }, `{"n":${n}}`, { agents, timeoutMs });
const failureOf = (posted: Promise<unknown>) =>
  posted.then(
    () => "answered",
    (error: unknown) => sendFailure(error),
  );
const requests = () => got.join("").split("POST / HTTP/1.1").length - 1;

describe("nobody knows what became of a request", () => {
  test.each<[string, (socket: Socket) => void]>([
    ["that is never answered", () => {}],
    ["whose connection is closed", (socket) => socket.end()],
    ["whose connection is reset", (socket) => socket.resetAndDestroy()],
    ["whose headers stop", (socket) => socket.write("HTTP/1.1 200 OK\r\ncontent-le")],
    ["whose body stops", (socket) => socket.write(whole("{}").slice(0, -1))],
    ["whose body is cut short", (socket) => socket.end(whole("{}").slice(0, -1))],
    [
      "whose chunks are cut short",
      (socket) => socket.end("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\n{}\r\n"),
    ],
    ["that is answered by no HTTP", (socket) => socket.end("{}")],
  ])("%s", async (_, behaves) => {
    onRequest = behaves;
    expect(await failureOf(post(1))).toBe("unknown");
    expect(requests()).toBe(1);

    // The connection is not used again.
    onRequest = (socket) => socket.write(whole("{}"));
    expect((await post(2, LONG_MS)).body.toString()).toBe("{}");
    expect(got).toHaveLength(2);
  });

  test("whose kept connection is closed by the other side at that moment", async () => {
    await post(1, LONG_MS);
    onRequest = (socket) => socket.resetAndDestroy();
    expect(await failureOf(post(2))).toBe("unknown");
    expect([got.length, requests()]).toEqual([1, 2]);
  });
});

describe("not a byte left of a request", () => {
  test("that waited for a connection until its time was over, and none leaves later", async () => {
    let answer = () => {};
    onRequest = (socket, body) => {
      if (body !== '{"n":1}') return void socket.write(whole("{}"));
      answer = () => void socket.write(whole("{}"));
    };
    const first = post(1, LONG_MS);
    await eventually(() => expect(requests()).toBe(1));
    expect(await failureOf(post(2))).toBe("passing");
    answer();
    await first;
    await post(3, LONG_MS);

    expect(got.join("")).not.toContain('{"n":2}');
  });

  test("whose port nobody listens at", async () => {
    const closed = createServer();
    await new Promise<void>((resolve) => {
      closed.listen(0, "127.0.0.1", resolve);
    });
    const { port } = closed.address() as AddressInfo;
    await new Promise((resolve) => closed.close(resolve));
    const posted = postOnce(new URL(`http://127.0.0.1:${port}`), {}, "{}", { agents, timeoutMs: TIMEOUT_MS });

    expect(await failureOf(posted)).toBe("passing");
  });
});

test("an answer that has no end is given up long before it fills the memory", async () => {
  const piece = Buffer.alloc(1024 * 1024, 0x20);
  let sentBytes = 0;
  onRequest = (socket) => {
    socket.write("HTTP/1.1 200 OK\r\n\r\n");
    const more = () => {
      while (!socket.destroyed && socket.write(piece)) sentBytes += piece.length;
    };
    socket.on("drain", more);
    more();
  };
  expect(await failureOf(post(1, LONG_MS))).toBe("unknown");
  expect(sentBytes).toBeLessThan(100 * 1024 * 1024);
}, 20_000);
