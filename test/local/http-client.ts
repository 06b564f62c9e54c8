import { type ClientRequest, type IncomingHttpHeaders, request } from "node:http";

export interface Sent {
  readonly method?: string;
  /** Path and query as they shall stand in the request line. */
  readonly path: string;
  /** Names and values in turn; the host is the one of the address, unless one stands here. */
  readonly rawHeaders?: readonly string[];
  readonly body?: string | Buffer;
}

export interface Answered {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly rawHeaders: readonly string[];
  readonly body: Buffer;
}

/** Sends exactly this, without the normalising of fetch. */
export function send(baseUrl: string, sent: Sent): Promise<Answered> {
  return new Promise((resolve, reject) => {
    const outgoing = open(baseUrl, sent);
    outgoing.on("error", reject);
    outgoing.on("response", async (incoming) => {
      const chunks: Buffer[] = [];
      for await (const chunk of incoming) chunks.push(chunk);
      const { statusCode: status = 0, headers, rawHeaders } = incoming;
      resolve({ status, headers, rawHeaders, body: Buffer.concat(chunks) });
    });
    outgoing.end(sent.body);
  });
}

/** A request whose body and end are the caller's to write. */
export function open(baseUrl: string, { method = "GET", path, rawHeaders = [] }: Sent): ClientRequest {
  const { hostname, port } = new URL(baseUrl);
  const host = rawHeaders.includes("Host") ? [] : ["Host", `${hostname}:${port}`];
  const headers = [...host, ...rawHeaders];
  return request({ hostname, port, method, path, headers, agent: false });
}
