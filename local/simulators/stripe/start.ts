import type { StartSimulator } from "../simulator-of.ts";
import { startStripeSimulator } from "./server.ts";

export const startSimulator: StartSimulator = ({ credential, latencyMs }) =>
  startStripeSimulator({ secretKey: credential, latencyMs });
