import { connect } from "node:net";

/** What came back over the connection, as far as it can be read. */
export interface RawAnswer {
  readonly status: number;
  /** Lower-case name to value. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

const ANSWER_WITHIN_MS = 10_000;

/** Sends exactly these bytes over a connection of their own and reads until the other side closes it. */
export function sendBytes(baseUrl: string, bytes: Uint8Array, end = false): Promise<RawAnswer> {
  const { hostname, port } = new URL(baseUrl);
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    const socket = connect({ host: hostname, port: Number(port) }, () => {
      socket.write(bytes);
      if (end) socket.end();
    });
    socket.setTimeout(ANSWER_WITHIN_MS, () => socket.destroy(new Error("no answer in time")));
    socket.on("data", (chunk) => chunks.push(chunk));
    socket.on("error", reject);
    socket.on("close", () => resolve(parse(Buffer.concat(chunks).toString("latin1"))));
  });
}

function parse(text: string): RawAnswer {
  const at = text.indexOf("\r\n\r\n");
  const [statusLine = "", ...lines] = text.slice(0, at < 0 ? 0 : at).split("\r\n");
  const headers = lines.map((line) => [line.split(":", 1)[0]?.toLowerCase(), line.replace(/^[^:]*: */, "")]);
  return {
    status: Number(statusLine.split(" ")[1] ?? 0),
    headers: Object.fromEntries(headers),
    body: text.slice(at + 4),
  };
}

export interface RawRequest {
  readonly method?: string;
  readonly target?: string;
  readonly version?: string;
  /** Header lines beside Host, Authorization, Content-Type and Content-Length. */
  readonly headers?: readonly string[];
  /** null leaves the header out. */
  readonly authorization?: string | null;
  readonly type?: string | null;
  readonly body?: string | Uint8Array;
  /** null leaves the header out. */
  readonly length?: string | null;
  readonly connection?: "close" | "keep-alive";
}

/** The bytes of a request, by default one that a key may make: $1 by a PaymentIntent. */
export function requestBytes(token: string, request: RawRequest = {}): Buffer {
  const {
    method = "POST",
    target = "/stripe/v1/payment_intents",
    version = "HTTP/1.1",
    headers = [],
  } = request;
  const { authorization = `Bearer ${token}`, type = "application/x-www-form-urlencoded" } = request;
  const body = Buffer.from(request.body ?? "amount=100&currency=usd");
  const length = request.length === undefined ? `${body.length}` : request.length;
  const lines = [
    `${method} ${target} ${version}`,
    "Host: 127.0.0.1",
    ...(authorization === null ? [] : [`Authorization: ${authorization}`]),
    ...(type === null ? [] : [`Content-Type: ${type}`]),
    ...(length === null ? [] : [`Content-Length: ${length}`]),
    ...headers,
    `Connection: ${request.connection ?? "close"}`,
  ];
  return Buffer.concat([Buffer.from(`${lines.join("\r\n")}\r\n\r\n`), body]);
}
