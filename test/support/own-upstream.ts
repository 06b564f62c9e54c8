import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { listen } from "../../local/listen.ts";

/** One request as it came, byte for byte. */
export interface Recorded {
  readonly method: string;
  /** Path and query as they stood in the request line. */
  readonly target: string;
  /** Names and values in turn. */
  readonly rawHeaders: readonly string[];
  readonly body: Buffer;
}

/** How one request is answered. What it does not end stays open until the upstream closes. */
export type Script = (response: ServerResponse, request: Recorded) => void | Promise<void>;

/** A stand-in for Stripe that knows nothing: it keeps what reached it and answers as it is told. */
export interface OwnUpstream {
  readonly origin: string;
  /** What reached it, oldest first. */
  readonly requests: readonly Recorded[];
  /** How the next requests are answered, one script each; after them all, as a PaymentIntent that was made. */
  next(...scripts: readonly Script[]): void;
  forget(): void;
  close(): Promise<void>;
}

/** Where Stripe's books are read. */
const STRIPE_EVENTS = "/v1/events";

export async function startOwnUpstream(): Promise<OwnUpstream> {
  const requests: Recorded[] = [];
  const scripts: Script[] = [];
  const server = createServer({ keepAliveTimeout: 65_000 }, async (incoming, response) => {
    const request = await recorded(incoming).catch(() => null);
    if (request === null) return;
    // The resolver asks when it pleases: what a test told is not for its questions. These books know nothing.
    if (request.method === "GET" && request.target.startsWith(STRIPE_EVENTS))
      return answer(503, {})(response, request);
    requests.push(request);
    await (scripts.shift() ?? paymentIntent())(response, request);
  });
  const port = await listen(server, 0);

  return {
    origin: `http://127.0.0.1:${port}`,
    requests,
    next: (...added) => {
      scripts.push(...added);
    },
    forget: () => {
      requests.length = 0;
      scripts.length = 0;
    },
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function recorded(incoming: IncomingMessage): Promise<Recorded> {
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) chunks.push(chunk);
  const { method = "", url: target = "", rawHeaders } = incoming;
  return { method, target, rawHeaders, body: Buffer.concat(chunks) };
}

let made = 0;

/** A PaymentIntent of what the form asks for, as Stripe answers its creation. */
export const paymentIntent =
  (headers: Readonly<Record<string, string>> = {}): Script =>
  (response, { body }) => {
    const form = new URLSearchParams(body.toString());
    made += 1;
    const intent = {
      id: `pi_own${made}`,
      object: "payment_intent",
      amount: Number(form.get("amount")),
      currency: form.get("currency"),
      status: "requires_payment_method",
    };
    const named = { "Content-Type": "application/json", "Request-Id": `req_own${made}` };
    response.writeHead(200, { ...named, ...headers }).end(JSON.stringify(intent));
  };

/** Any answer of a status, with headers and a body. */
export const answer =
  (status: number, body: unknown, headers: Readonly<Record<string, string>> = {}): Script =>
  (response) => {
    const text = typeof body === "string" ? body : JSON.stringify(body);
    response.writeHead(status, { "Content-Type": "application/json", ...headers }).end(text);
  };

/** Waits for `opened` before it answers as `script` does. */
export const onceOpened =
  (opened: Promise<void>, script: Script = paymentIntent()): Script =>
  async (response, request) => {
    await opened;
    await script(response, request);
  };

/** Closes the connection; after a head and part of a body if `partly`. */
export const broken =
  (partly: boolean): Script =>
  (response) => {
    if (partly) {
      response.writeHead(200, { "Content-Type": "application/json", "Content-Length": 1000 });
      response.write('{"id": "pi_half", ');
    }
    // On its way before the connection ends.
    setTimeout(() => response.destroy(), partly ? 20 : 0);
  };
