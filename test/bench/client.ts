import { Agent, type IncomingHttpHeaders, request } from "node:http";

/** One request of a load. */
export interface Shot {
  readonly method?: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

/** A client with connections that are kept, as many as there are requests at once. */
export class Client {
  readonly #origin: string;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 64 });

  constructor(origin: string) {
    this.#origin = origin;
  }

  send({ method = "POST", path, headers = {}, body = "" }: Shot): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const asked = request(
        `${this.#origin}${path}`,
        {
          method,
          agent: this.#agent,
          headers: { ...headers, "Content-Length": `${Buffer.byteLength(body)}` },
        },
        (answer) => {
          const parts: Buffer[] = [];
          answer.on("data", (part: Buffer) => parts.push(part));
          answer.on("end", () =>
            resolve({
              status: answer.statusCode ?? 0,
              headers: answer.headers,
              text: Buffer.concat(parts).toString(),
            }),
          );
          answer.on("error", reject);
        },
      );
      asked.on("error", reject);
      asked.end(body);
    });
  }

  close(): void {
    this.#agent.destroy();
  }
}

/** Runs something `count` times, `atOnce` at a time; milliseconds of each, and of all together. */
export async function timed(
  count: number,
  atOnce: number,
  run: (n: number) => Promise<unknown>,
): Promise<{ readonly each: readonly number[]; readonly all: number }> {
  const each: number[] = [];
  let next = 0;
  const startedMs = performance.now();
  await Promise.all(
    Array.from({ length: Math.min(atOnce, count) }, async () => {
      while (next < count) {
        const n = next++;
        const beganMs = performance.now();
        await run(n);
        each.push(performance.now() - beganMs);
      }
    }),
  );
  return { each, all: performance.now() - startedMs };
}
