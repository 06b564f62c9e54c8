import type { StartSimulator } from "../simulator-of.ts";
import { startResendSimulator } from "./server.ts";

export const startSimulator: StartSimulator = ({ credential, latencyMs }) =>
  startResendSimulator({ apiKey: credential, latencyMs });
