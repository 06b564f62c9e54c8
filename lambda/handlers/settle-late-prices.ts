import type { Context } from "aws-lambda";
import { HttpsVendor } from "../adapters/https-vendor.ts";
import { randomIds } from "../adapters/random-ids.ts";
import { vendorSecrets } from "../adapters/secrets-manager.ts";
import { type LatePriceRun, settleLatePrices } from "../app/settle-late-prices.ts";
import {
  cachedSecrets,
  clients,
  configuredTerms,
  credentialSecrets,
  destinationOf,
  dynamoVault,
  systemClock,
  warn,
} from "./wiring.ts";

const ports = {
  vault: dynamoVault(clients()),
  secrets: vendorSecrets(cachedSecrets(), credentialSecrets()),
  http: new HttpsVendor(),
  clock: systemClock,
  ids: randomIds,
  destinationOf: destinationOf(),
  terms: configuredTerms(),
  warn,
};

/** On a schedule: asks vendors for prices that they tell after the call. Two runs at once do no harm. */
export const handler = (_event: unknown, context: Context): Promise<LatePriceRun> =>
  settleLatePrices(systemClock.now() + context.getRemainingTimeInMillis(), ports);
