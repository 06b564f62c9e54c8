import { randomUUID } from "node:crypto";
import http from "node:http";

/** One request as a function made it. */
interface Sent {
  readonly options: http.RequestOptions;
  body: string | Uint8Array;
}

/** Requests that a function made, to be made again by nothing but node:http. */
export interface SameRequests {
  /** The bodies of another call; making them is no part of what is measured. `n`: never the same twice. */
  prepared(n: number): readonly Sent[];
  /** Sends them one after another, and reads each answer whole. Throws on one that is no success. */
  send(requests: readonly Sent[]): Promise<void>;
}

/** In the ids of what is sent again. */
export const SENT_AGAIN = /again\d/;

/** What `run` sends over node:http, taken down as it is sent. `keyIds`: its vault key, and the one that the same is sent for. */
export async function requestsOf(
  run: () => Promise<unknown>,
  keyIds: readonly [string, string],
): Promise<SameRequests> {
  const sent: Sent[] = [];
  const real = http.request;
  const recording = (options: http.RequestOptions) => {
    const request = real(options);
    const one: Sent = { options, body: "" };
    sent.push(one);
    const end = request.end.bind(request);
    return Object.assign(request, {
      end(body: string | Uint8Array) {
        one.body = body;
        return end(body);
      },
    });
  };
  Object.assign(http, { request: recording });
  try {
    await run();
  } finally {
    Object.assign(http, { request: real });
  }
  return again(sent, keyIds);
}

/** A transaction's own, which tells a repeat. */
const TOKEN = /"ClientRequestToken":"[^"]+"/;

function again(sent: readonly Sent[], [keyId, otherId]: readonly [string, string]): SameRequests {
  const agent = new http.Agent({ keepAlive: true });
  const bodies = sent.map(({ body }) => (typeof body === "string" ? body.replaceAll(keyId, otherId) : ""));
  const names = [...new Set(bodies.flatMap((body) => body.match(/\b(?:att|call|pi)_[A-Za-z0-9]+/g) ?? []))];
  const renamed = (text: string, n: number) =>
    names
      .reduce((so, name) => so.replaceAll(name, `${name}again${n}`), text)
      .replace(TOKEN, () => `"ClientRequestToken":"${randomUUID()}"`);
  return {
    prepared: (n) =>
      sent.map(({ options, body }, index) => ({
        options: { ...options, agent, headers: withAnotherKey(options.headers, n) },
        body: typeof body === "string" ? renamed(bodies[index] ?? "", n) : body,
      })),
    async send(requests) {
      for (const request of requests) await sendOne(request);
    },
  };
}

const withAnotherKey = (headers: http.RequestOptions["headers"], n: number): http.OutgoingHttpHeaders =>
  Object.fromEntries(
    Object.entries(headers ?? {}).map(([name, value]) =>
      name.toLowerCase() === "idempotency-key" ? [name, `${value}again${n}`] : [name, value],
    ),
  );

const sendOne = ({ options, body }: Sent): Promise<void> =>
  new Promise((resolve, reject) => {
    const request = http.request(options, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("end", () => {
        if (response.statusCode === 200) resolve();
        else
          reject(
            new Error(`status ${response.statusCode}: ${Buffer.concat(chunks).toString().slice(0, 300)}`),
          );
      });
      response.on("error", reject);
    });
    request.on("error", reject);
    request.end(body);
  });
