import { randomHex } from "../shared/hex.ts";
import { type Simulator, startVendorSimulator } from "../shared/server.ts";
import { openAccount } from "./account.ts";
import { type Api, answerApiRequest } from "./api.ts";
import { vendorBooks } from "./books.ts";
import { openIdempotencyKeys } from "./idempotency.ts";

export type ResendSimulator = Simulator;

export interface ResendSimulatorOptions {
  /** 0, the default, takes a free one. */
  readonly port?: number;
  /** If given, any other key is a 403. */
  readonly apiKey?: string;
  /** Milliseconds since 1970. */
  readonly now?: () => number;
  /** How long every execution waits before it changes anything. */
  readonly latencyMs?: number;
}

/**
 * Starts a stand-in for Resend on 127.0.0.1: one account, empty, that keeps its state until it is closed. It serves the
 * endpoints of routes.ts and, beside them, its own: the books (books.ts), the requests as they came, and what shall go
 * wrong (../shared/server.ts).
 *
 * Where it differs from Resend on purpose: any domain may send, every e-mail is delivered as soon
 * as its time has come, and there is no rate limit.
 */
export function startResendSimulator(options: ResendSimulatorOptions = {}): Promise<ResendSimulator> {
  const nowMs = options.now ?? Date.now;
  return startVendorSimulator(options.port ?? 0, nowMs, ({ orders, breaches, closed }) => {
    const account = openAccount(nowMs);
    const api: Api = {
      account,
      faults: orders,
      breaches,
      idempotencyKeys: openIdempotencyKeys(nowMs),
      apiKey: options.apiKey,
      latencyMs: options.latencyMs ?? 0,
      closed,
    };
    return {
      name: "resend",
      newRequestId: () => `${randomHex(16)}-IAD`,
      keptHeaders: { batch_validation: "x-batch-validation" },
      books: () => vendorBooks(account),
      own: {},
      answer: (request) => answerApiRequest(api, request),
    };
  });
}
