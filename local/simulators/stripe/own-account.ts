import type { Endpoint } from "./endpoint.ts";
import { NO_PARAMS, refuseUnknown } from "./params.ts";

/** `GET /v1/account`: the account that the key belongs to, or that `Stripe-Account` names. It has no secret in it. */
export const retrieveOwnAccount: Endpoint = ({ id }, { params }) => {
  refuseUnknown(params, NO_PARAMS);
  return () => ({
    id,
    object: "account",
    business_profile: { mcc: null, name: "Keybrake simulator", support_email: null, url: null },
    business_type: "company",
    capabilities: { card_payments: "active", transfers: "active" },
    charges_enabled: true,
    country: "US",
    default_currency: "usd",
    details_submitted: true,
    email: "owner@example.com",
    payouts_enabled: true,
    settings: { dashboard: { display_name: "Keybrake simulator", timezone: "Etc/UTC" } },
    type: "standard",
  });
};
