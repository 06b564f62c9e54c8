import type { StartSimulator } from "../simulator-of.ts";
import { startTwilioSimulator } from "./server.ts";

/** As at the real one, a price is known some time after the call. */
const DELIVERS_AFTER_MS = 10_000;

export const startSimulator: StartSimulator = ({ credential, latencyMs }) => {
  const [accountSid = "", authToken = ""] = credential.split(":");
  return startTwilioSimulator({ accountSid, authToken, latencyMs, deliverAfterMs: DELIVERS_AFTER_MS });
};
