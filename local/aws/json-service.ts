import { createHash, timingSafeEqual } from "node:crypto";
import { createServer, type IncomingMessage } from "node:http";
import { listen } from "../listen.ts";

/** The answer of a service of AWS that speaks JSON. */
export interface ServiceAnswer {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
}

export interface JsonService {
  readonly endpoint: string;
  close(): Promise<void>;
}

/**
 * Listens on 127.0.0.1 as a service of AWS that speaks JSON: the operation stands in `X-Amz-Target`.
 *
 * It answers only requests signed with `accessKeyId`, which is new in every run and known to its functions alone: other
 * users of the machine and pages in a browser reach the port too. DynamoDB gets another one. The signature itself is not
 * checked.
 */
export async function startJsonService(
  accessKeyId: string,
  answer: (operation: string | undefined, input: unknown) => ServiceAnswer,
): Promise<JsonService> {
  const server = createServer(async (incoming, outgoing) => {
    const target = incoming.headers["x-amz-target"];
    const operation = typeof target === "string" ? target.split(".")[1] : undefined;
    const input = await jsonOf(incoming);
    const { status, body } = isSignedWith(accessKeyId, incoming)
      ? answer(operation, input)
      : refusal("UnrecognizedClientException", "The security token included in the request is invalid.");
    outgoing.writeHead(status, { "Content-Type": "application/x-amz-json-1.1" });
    outgoing.end(JSON.stringify(body));
  });

  return {
    endpoint: `http://127.0.0.1:${await listen(server, 0)}`,
    close: async () => {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
    },
  };
}

/** An error as a service of AWS says it. */
export function refusal(type: string, message: string): ServiceAnswer {
  return { status: 400, body: { __type: type, Message: message } };
}

export const unknownOperation = (operation: string | undefined): ServiceAnswer =>
  refusal("UnknownOperationException", `no operation ${operation} here`);

function isSignedWith(accessKeyId: string, { headers }: IncomingMessage): boolean {
  const [, given = ""] = /\bCredential=([^/,\s]+)\//.exec(headers.authorization ?? "") ?? [];
  const hash = (text: string) => createHash("sha256").update(text).digest();
  return timingSafeEqual(hash(given), hash(accessKeyId));
}

async function jsonOf(incoming: IncomingMessage): Promise<unknown> {
  try {
    let text = "";
    for await (const chunk of incoming) text += String(chunk);
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
