import { Agent, createServer, request } from "node:http";
import { listen } from "../../local/listen.ts";

/** Stands between the functions and the engine, and takes down when each request was under way. */
export interface TripProxy {
  readonly endpoint: string;
  /** Requests one after another that began before a time; those at the same time count as one. */
  trips(beforeMs: number): number;
  /** Bodies of the requests since the last `forget`, with their operations. */
  readonly seen: readonly { readonly operation: string; readonly body: string }[];
  forget(): void;
  close(): Promise<void>;
}

/** What the consumer of the stream does is no part of a call. */
const OF_THE_CONSUMER = "keybrake-audit";

export async function startTripProxy(engine: string): Promise<TripProxy> {
  const agent = new Agent({ keepAlive: true });
  const spans: { readonly fromMs: number; untilMs: number }[] = [];
  const seen: { operation: string; body: string }[] = [];
  const server = createServer((incoming, outgoing) => {
    const span = { fromMs: performance.now(), untilMs: Number.POSITIVE_INFINITY };
    const chunks: Buffer[] = [];
    incoming.on("data", (chunk: Buffer) => chunks.push(chunk));
    incoming.on("end", () => {
      const body = Buffer.concat(chunks).toString();
      if (!body.includes(OF_THE_CONSUMER)) {
        spans.push(span);
        const operation = `${incoming.headers["x-amz-target"]}`.split(".").at(-1) ?? "";
        seen.push({ operation, body });
      }
      const { method, url, headers } = incoming;
      const passed = request(`${engine}${url}`, { method, headers, agent }, (answer) => {
        outgoing.writeHead(answer.statusCode ?? 500, answer.headers);
        answer.pipe(outgoing);
        answer.on("end", () => {
          span.untilMs = performance.now();
        });
      });
      passed.on("error", () => outgoing.destroy());
      passed.end(body);
    });
  });
  const port = await listen(server, 0);
  return {
    endpoint: `http://127.0.0.1:${port}`,
    seen,
    trips: (beforeMs) => {
      let count = 0;
      let busyUntilMs = Number.NEGATIVE_INFINITY;
      for (const { fromMs, untilMs } of [...spans].sort((a, b) => a.fromMs - b.fromMs)) {
        if (fromMs >= beforeMs) break;
        if (fromMs >= busyUntilMs) count++;
        busyUntilMs = Math.max(busyUntilMs, untilMs);
      }
      return count;
    },
    forget: () => {
      spans.length = 0;
      seen.length = 0;
    },
    close: async () => {
      agent.destroy();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
