import { Client } from "./client.ts";

/**
 * The DynamoDB requests of one payment with an idempotency key, recorded from the product's own functions, and sent again bare:
 * by a plain client, one after another, with other ids.
 */
export interface BareTrips {
  readonly count: number;
  /** Sends the requests of one payment. `n`: never the same twice. */
  send(n: number): Promise<void>;
  close(): void;
}

/** What one payment sends, as its functions wrote it. `engine`: where it is sent again. */
export async function bareTrips(
  requests: readonly { readonly operation: string; readonly body: string }[],
  engine: string,
): Promise<BareTrips> {
  const client = new Client(engine);
  const bodies = requests.map(({ body }) => body);
  const names = [...new Set(bodies.flatMap((body) => body.match(/\b(?:att|call|pi)_[A-Za-z0-9]+/g) ?? []))];
  return {
    count: bodies.length,
    send: async (n) => {
      for (const [index, body] of bodies.entries()) {
        let text = body;
        for (const name of names) text = text.replaceAll(name, `${name}n${n}`);
        const operation = requests[index]?.operation ?? "";
        const { status, text: said } = await client.send({
          path: "/",
          headers: {
            "Content-Type": "application/x-amz-json-1.0",
            "X-Amz-Target": `DynamoDB_20120810.${operation}`,
            "X-Amz-Date": "20261128T000000Z",
            Authorization:
              "AWS4-HMAC-SHA256 Credential=local/20261128/us-east-1/dynamodb/aws4_request, SignedHeaders=host, Signature=0",
          },
          body: text,
        });
        if (status !== 200) throw new Error(`${operation} answered ${status}: ${said.slice(0, 300)}`);
      }
    },
    close: () => client.close(),
  };
}
