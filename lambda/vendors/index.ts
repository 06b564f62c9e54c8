import type { Vendor } from "../domain/vendor.ts";
import type { VendorPage } from "../domain/vendor-page.ts";
import type { Definition } from "./configured/definition.ts";
import { configuredVendor } from "./configured/vendor.ts";
import { registryOf, type VendorRegistry } from "./registry.ts";
import { page as resendPage } from "./resend/page.ts";
import { resend } from "./resend/resend.ts";
import { page as stripePage } from "./stripe/page.ts";
import { stripe } from "./stripe/stripe.ts";
import { page as twilioPage } from "./twilio/page.ts";
import { twilio } from "./twilio/twilio.ts";

/** The only list of vendors. */
const BUILT_IN: readonly Vendor[] = [stripe, twilio, resend];

/** Names that no definition may take. */
export const BUILT_IN_NAMES: readonly string[] = BUILT_IN.map(({ name }) => name);

/** The vendors of the list, with those that a configuration defines behind them. */
export const vendorRegistry = (definitions: readonly Definition[] = []): VendorRegistry =>
  registryOf(BUILT_IN, definitions.map(configuredVendor));

/** What the dashboard shows of a vendor, by its name: no other function carries it. */
export const VENDOR_PAGES: Readonly<Record<string, VendorPage>> = {
  stripe: stripePage,
  twilio: twilioPage,
  resend: resendPage,
};
