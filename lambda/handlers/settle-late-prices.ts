import type { Context } from "aws-lambda";
import { type LatePriceRun, latePriceBacklog, settleLatePrices } from "../app/audit/settle-late-prices.ts";
import { METRICS } from "../environment.ts";
import { count } from "./metrics.ts";
import { callVault, clients, systemClock, tableLayout, vendorPorts } from "./wiring.ts";

const dynamo = clients();
const ports = { vault: callVault(dynamo), ...vendorPorts() };
const layout = tableLayout(dynamo, true);

/** On a schedule: asks vendors for prices that they tell after the call. Two runs at once do no harm. */
export const handler = async (_event: unknown, context: Context): Promise<LatePriceRun> => {
  await layout.check();
  const startedMs = systemClock.now();
  const run = await settleLatePrices(startedMs + context.getRemainingTimeInMillis(), ports);
  const { overdue, oldestMs } = await latePriceBacklog(startedMs, ports);
  count(METRICS.latePricesOverdue, overdue);
  count(METRICS.latePricesOldestS, Math.ceil(oldestMs / 1000));
  return run;
};
