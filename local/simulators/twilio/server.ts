import { type OwnAnswer, refuseOrder } from "../shared/own-endpoints.ts";
import { type Simulator, startVendorSimulator } from "../shared/server.ts";
import { type Account, openAccount } from "./account.ts";
import { type Api, answerApiRequest } from "./api.ts";
import type { Credentials } from "./authentication.ts";
import { vendorBooks } from "./books.ts";
import { deliver, deliverDue, readDelivery } from "./delivery.ts";
import { newSid } from "./ids.ts";

export type TwilioSimulator = Simulator;

export interface TwilioSimulatorOptions {
  /** 0, the default, takes a free one. */
  readonly port?: number;
  /** The account that there is, `AC` and 32 hexadecimal digits; by default TWILIO_ACCOUNT_SID. */
  readonly accountSid?: string;
  /** If given, any other credential is a 401. */
  readonly authToken?: string;
  /** An API key of the account, which is a credential like the auth token: `SK…` and its secret. */
  readonly apiKeySid?: string;
  readonly apiKeySecret?: string;
  /** Milliseconds since 1970. */
  readonly now?: () => number;
  /** How long every execution waits before it changes anything. */
  readonly latencyMs?: number;
  /** After so long by `now` a message or call delivers itself; without it each waits for `POST /deliver`. */
  readonly deliverAfterMs?: number;
}

/** The account of a simulator that was given none. */
const TWILIO_ACCOUNT_SID = "AC00000000000000000000000000000000";

/**
 * Starts a stand-in for Twilio on 127.0.0.1: one account, empty, that keeps its state until it is closed. One origin
 * serves all hosts: api.twilio.com at its own paths, another behind a first segment with its name (routes.ts). Beside
 * them it has its own endpoints: the books (books.ts), the requests as they came, what shall go wrong
 * (../shared/server.ts), and
 *
 * - `POST /deliver`: ends messages and calls, whose prices become known by it (delivery.ts).
 *
 * Where it differs from Twilio on purpose: any number may send, any Messaging Service and any Verify service exists,
 * every code is VERIFICATION_CODE, no callback is made and no TwiML is read, and there is no rate limit.
 */
export function startTwilioSimulator(options: TwilioSimulatorOptions = {}): Promise<TwilioSimulator> {
  const nowMs = options.now ?? Date.now;
  return startVendorSimulator(options.port ?? 0, nowMs, ({ orders, breaches, closed }) => {
    const account = openAccount({
      sid: options.accountSid ?? TWILIO_ACCOUNT_SID,
      nowMs,
      deliverAfterMs: options.deliverAfterMs,
    });
    const api: Api = {
      account,
      faults: orders,
      breaches,
      credentials: credentialsOf(options),
      latencyMs: options.latencyMs ?? 0,
      closed,
    };
    return {
      name: "twilio",
      newRequestId: () => newSid("RQ"),
      keptHeaders: {},
      books: () => vendorBooks(account),
      own: { "POST /deliver": (json) => answerDelivery(account, json) },
      answer: (request) => answerApiRequest(api, request),
    };
  });
}

function answerDelivery(account: Account, json: unknown): OwnAnswer {
  deliverDue(account);
  const delivery = readDelivery(json);
  if (typeof delivery === "string") return refuseOrder(delivery);
  const delivered = deliver(account, delivery);
  return typeof delivered === "string" ? refuseOrder(delivered) : { status: 200, body: { delivered } };
}

function credentialsOf({
  accountSid,
  authToken,
  apiKeySid,
  apiKeySecret,
}: TwilioSimulatorOptions): Credentials {
  const isOpen = accountSid === undefined && authToken === undefined && apiKeySid === undefined;
  if (isOpen) return { pairs: [] };
  const own = { user: accountSid ?? TWILIO_ACCOUNT_SID, password: authToken };
  return { pairs: apiKeySid === undefined ? [own] : [own, { user: apiKeySid, password: apiKeySecret }] };
}
