import type { Context } from "aws-lambda";
import { applyStops } from "../app/stops/apply-stops.ts";
import { vendors } from "./vendors.ts";
import { clients, dynamoVault, stopsVault, systemClock, tableLayout, warn } from "./wiring.ts";

const dynamo = clients();
const ports = {
  vault: { ...dynamoVault(dynamo), ...stopsVault(dynamo) },
  clock: systemClock,
  vendors: vendors.names,
  warn,
};
const layout = tableLayout(dynamo, true);

/** What a run leaves of its time for the writes that are under way. */
const SPARE_MS = 5_000;

/**
 * Revokes the keys of the stops in force. It runs when the stops change, as the stream of the Vault table shows, and on a
 * schedule, which takes up what a run before it left. Nothing in the event matters.
 */
export const handler = async (_event: unknown, context: Context): Promise<void> => {
  await layout.check();
  await applyStops(systemClock.now() + context.getRemainingTimeInMillis() - SPARE_MS, ports);
};
