import type { Context } from "aws-lambda";
import { type LatePriceRun, settleLatePrices } from "../app/settle-late-prices.ts";
import { clients, dynamoVault, systemClock, vendorPorts } from "./wiring.ts";

const ports = { vault: dynamoVault(clients()), ...vendorPorts() };

/** On a schedule: asks vendors for prices that they tell after the call. Two runs at once do no harm. */
export const handler = (_event: unknown, context: Context): Promise<LatePriceRun> =>
  settleLatePrices(systemClock.now() + context.getRemainingTimeInMillis(), ports);
