import type { ServerResponse } from "node:http";

/** An answer of the vendor, ready for the wire. */
export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** What the client gets: an answer, nothing until it gives up, or a closed connection. */
export type Reply =
  | ({ readonly kind: "answer" } & Answer)
  | { readonly kind: "silence" }
  | { readonly kind: "break" };

/** Sends a reply in one go. A 204 has no body, and so no length. */
export function sendReply(response: ServerResponse, reply: Reply): void {
  if (reply.kind === "silence") return;
  if (reply.kind === "break") {
    response.destroy();
    return;
  }
  const length = reply.status === 204 ? {} : { "Content-Length": Buffer.byteLength(reply.body) };
  response.writeHead(reply.status, { ...reply.headers, ...length });
  response.end(reply.body);
}
