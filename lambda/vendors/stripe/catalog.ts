import type { Endpoint } from "../../domain/vendor.ts";
import { CHARGES_AND_REFUNDS } from "./charges-and-refunds.ts";
import { DENIED } from "./denied.ts";
import { free, freeForAccount, upload } from "./free.ts";
import { FREE_WRITES } from "./free-writes.ts";
import { INVOICES } from "./invoices.ts";
import { PAYMENT_INTENTS } from "./payment-intents.ts";
import { PAYOUTS_AND_TRANSFERS } from "./payouts-and-transfers.ts";
import { ACCOUNT_READS, READS } from "./reads.ts";

/** Every endpoint of Stripe: priced, free or denied. test/vendors/stripe-paths.test.ts holds it to stripe-node. */

const read = free(null);

const split = (endpoint: string): { method: string; path: string } => {
  const [method = "", path = ""] = endpoint.split(" ");
  return { method, path };
};

/** Money comes back, or is not sent at all. */
const WITHDRAWN = [
  "POST /v1/payouts/{id}/cancel",
  "POST /v1/payouts/{id}/reverse",
  "POST /v1/refunds/{id}/cancel",
  "POST /v1/topups/{id}/cancel",
];

const ENDPOINTS: readonly Endpoint[] = [
  ...PAYMENT_INTENTS,
  ...CHARGES_AND_REFUNDS,
  ...PAYOUTS_AND_TRANSFERS,
  ...INVOICES,
  ...WITHDRAWN.map((endpoint) => ({ ...split(endpoint), rule: free(["expand", "metadata"]) })),
  { method: "POST", path: "/v1/files", rule: upload },
  ...FREE_WRITES.map(({ endpoint, fields }) => ({ ...split(endpoint), rule: free(fields) })),
  ...READS.map((path) => ({ method: "GET", path, rule: read })),
  ...ACCOUNT_READS.map((path) => ({ method: "GET", path, rule: freeForAccount })),
  ...DENIED.flatMap(({ reason, endpoints }) =>
    endpoints.map((endpoint) => ({ ...split(endpoint), rule: { kind: "denied" as const, reason } })),
  ),
];

/** Where the id is a name of the caller's choice, or of Stripe's without an underscore: `gold-plan`, `SUMMER25`, `US`, `usd`. */
const OWN_IDS =
  /^(\/v1\/(?:country_specs|coupons|exchange_rates|plans|products|reporting\/report_types|accounts\/\{id\}\/capabilities)\/)\{id\}/;
/** Old accounts have customers with names of their own. */
const CUSTOMERS = /^(\/v1\/customers\/)\{id\}/;

const withOwnIds = (endpoint: Endpoint): Endpoint => ({
  ...endpoint,
  path: endpoint.path.replace(OWN_IDS, "$1{own}").replace(CUSTOMERS, "$1{customer}"),
});

/** Fixed paths first: `create_preview` must not be taken for the id of an invoice. */
export const CATALOG: readonly Endpoint[] = [
  ...ENDPOINTS.filter(({ path }) => !path.includes("{")),
  ...ENDPOINTS.filter(({ path }) => path.includes("{")).map(withOwnIds),
];
