import type { VendorName } from "../lib/routes.ts";
import { startResendSimulator } from "./simulators/resend/server.ts";
import { startStripeSimulator } from "./simulators/stripe/server.ts";
import { startTwilioSimulator } from "./simulators/twilio/server.ts";

/** Where calls to a vendor go. */
export type VendorTarget =
  | { readonly kind: "simulated"; readonly latencyMs?: number }
  | { readonly kind: "upstream"; readonly origin: string; readonly credential: string }
  | { readonly kind: "real"; readonly credential: string };

/** A vendor as a local run needs it. `placeholder`: sent to an upstream that is not the vendor itself, where no credential is given. */
interface LocalVendor {
  readonly title: string;
  readonly origin: string;
  readonly placeholder: string;
  /** What makes it the real one, for a person. */
  readonly variables: string;
  /** Takes the placeholder alone, so a call that went out with a vault key would show. */
  readonly simulate: (latencyMs: number) => Promise<{ readonly origin: string; close(): Promise<void> }>;
}

/**
 * Placeholders have the form of the real thing, so that other servers take them: stripe-mock refuses whatever is not
 * `sk_test_` with letters and digits (run with v0.203.0, 2026-11-28). Twilio's has no part in common with the SID, since an
 * answer that repeats a credential is withheld.
 */
const TWILIO_SID = `AC${"0123456789abcdef".repeat(2)}`;
const TWILIO_TOKEN = "0f1e2d3c4b5a69788796a5b4c3d2e1f0";

/** As at the real one, a price is known some time after the call. */
const TWILIO_DELIVERS_AFTER_MS = 10_000;

const STRIPE_PLACEHOLDER = "sk_test_keybrakeplaceholder";
const RESEND_PLACEHOLDER = "re_keybrake_placeholderplaceholder00";

export const LOCAL_VENDORS: Readonly<Record<VendorName, LocalVendor>> = {
  stripe: {
    title: "Stripe",
    origin: "https://api.stripe.com",
    placeholder: STRIPE_PLACEHOLDER,
    variables: "STRIPE_SECRET_KEY",
    simulate: (latencyMs) => startStripeSimulator({ secretKey: STRIPE_PLACEHOLDER, latencyMs }),
  },
  twilio: {
    title: "Twilio",
    origin: "https://api.twilio.com",
    placeholder: `${TWILIO_SID}:${TWILIO_TOKEN}`,
    variables: "TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN",
    simulate: (latencyMs) =>
      startTwilioSimulator({
        accountSid: TWILIO_SID,
        authToken: TWILIO_TOKEN,
        latencyMs,
        deliverAfterMs: TWILIO_DELIVERS_AFTER_MS,
      }),
  },
  resend: {
    title: "Resend",
    origin: "https://api.resend.com",
    placeholder: RESEND_PLACEHOLDER,
    variables: "RESEND_API_KEY",
    simulate: (latencyMs) => startResendSimulator({ apiKey: RESEND_PLACEHOLDER, latencyMs }),
  },
};

/** A vendor of a run: where calls to it go, and with what. */
export interface RunningVendor {
  readonly target: VendorTarget["kind"];
  readonly origin: string;
  /** What the simulated vendor charged. */
  readonly booksUrl?: string;
  readonly credential: string;
  close(): Promise<void>;
}

export async function startVendor(name: VendorName, target: VendorTarget): Promise<RunningVendor> {
  const vendor = LOCAL_VENDORS[name];
  const close = async () => {};
  switch (target.kind) {
    case "real":
      return { target: target.kind, origin: vendor.origin, credential: target.credential, close };
    case "upstream":
      return { target: target.kind, origin: target.origin, credential: target.credential, close };
    case "simulated": {
      const simulator = await vendor.simulate(target.latencyMs ?? 0);
      return {
        target: target.kind,
        origin: simulator.origin,
        booksUrl: `${simulator.origin}/books`,
        credential: vendor.placeholder,
        close: () => simulator.close(),
      };
    }
  }
}
