import type { Vendor } from "../domain/vendor.ts";
import type { Definition } from "./configured/definition.ts";
import { configuredVendor } from "./configured/vendor.ts";
import { registryOf, type VendorRegistry } from "./registry.ts";
import { resend } from "./resend/resend.ts";
import { stripe } from "./stripe/stripe.ts";
import { twilio } from "./twilio/twilio.ts";

/** The only list of vendors. */
const BUILT_IN: readonly Vendor[] = [stripe, twilio, resend];

/** Names that no definition may take. */
export const BUILT_IN_NAMES: readonly string[] = BUILT_IN.map(({ name }) => name);

/** The vendors of the list, with those that a configuration defines behind them. */
export const vendorRegistry = (definitions: readonly Definition[] = []): VendorRegistry =>
  registryOf(BUILT_IN, definitions.map(configuredVendor));
