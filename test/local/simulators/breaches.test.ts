import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { endpointOf } from "../../../lambda/vendors/catalog-entry.ts";
import { vendorRegistry } from "../../../lambda/vendors/index.ts";
import { ROUTES as RESEND } from "../../../local/simulators/resend/routes.ts";
import { startResendSimulator } from "../../../local/simulators/resend/server.ts";
import type { Simulator } from "../../../local/simulators/shared/server.ts";
import { ROUTES as STRIPE } from "../../../local/simulators/stripe/routes.ts";
import { startStripeSimulator } from "../../../local/simulators/stripe/server.ts";
import {
  API_ROUTES as TWILIO_API,
  HOST_ROUTES as TWILIO_HOSTS,
} from "../../../local/simulators/twilio/routes.ts";
import { startTwilioSimulator } from "../../../local/simulators/twilio/server.ts";
import { breachesIn, refuseBreaches } from "../../support/breaches.ts";

/** Guarantees that a simulator serves what a vault key may be let through to, and books everything else that arrives as a breach. */

const HEX = "0123456789abcdef0123456789abcdef";
const ACCOUNT = `AC${HEX}`;
const UUID = "559ac32e-9ef5-46fb-82a1-b76b840c0f7b";
const IN_ACCOUNT = `/2010-04-01/Accounts/${ACCOUNT}`;

const basic = (text: string) => `Basic ${Buffer.from(text).toString("base64")}`;

/** What no vault key may call, of each vendor: what costs past every cap, hands out secrets, or is not there. */
const VENDORS = [
  {
    vendor: "stripe",
    start: () => startStripeSimulator({ secretKey: "sk_test_0123456789abcdef" }),
    credential: "Bearer sk_test_0123456789abcdef",
    wrong: "Bearer sk_test_other",
    served: "GET /v1/payment_intents",
    denied: [
      "POST /v1/subscriptions",
      "POST /v1/subscriptions/sub_1",
      "POST /v1/checkout/sessions",
      "POST /v1/payment_links",
      "POST /v1/payment_links/plink_1",
      "POST /v1/coupons",
      "POST /v1/coupons/gold",
      "POST /v1/customers/cus_1/balance_transactions",
      "POST /v1/credit_notes/cn_1/void",
      "DELETE /v1/invoices/in_1",
      "DELETE /v1/invoiceitems/ii_1",
      "GET /v1/accounts",
      "POST /v1/accounts",
      "POST /v1/accounts/acct_1",
      "DELETE /v1/accounts/acct_1",
      "POST /v1/ephemeral_keys",
      "DELETE /v1/ephemeral_keys/ephkey_1",
      "GET /v1/webhook_endpoints",
      "POST /v1/webhook_endpoints",
      "DELETE /v1/webhook_endpoints/we_1",
      "GET /v2/money_management/outbound_payments",
      "POST /v2/money_management/outbound_payments",
      "POST /v2/money_management/outbound_payments/obp_1/cancel",
      "PUT /v1/payment_intents",
      "POST /v1/payment_intents/",
      "GET /nonsense",
    ],
  },
  {
    vendor: "twilio",
    start: () => startTwilioSimulator({ accountSid: ACCOUNT, authToken: "token" }),
    credential: basic(`${ACCOUNT}:token`),
    wrong: basic(`${ACCOUNT}:other`),
    served: `GET ${IN_ACCOUNT}/Messages.json`,
    denied: [
      `POST ${IN_ACCOUNT}/IncomingPhoneNumbers.json`,
      `GET ${IN_ACCOUNT}/IncomingPhoneNumbers.json`,
      `GET ${IN_ACCOUNT}.json`,
      "GET /2010-04-01/Accounts.json",
      `POST ${IN_ACCOUNT}/Keys.json`,
      "POST /verify/v2/Services",
      "POST /studio/v2/Flows",
      "GET /nonsense",
    ],
  },
  {
    vendor: "resend",
    start: () => startResendSimulator({ apiKey: "re_0123" }),
    credential: "Bearer re_0123",
    wrong: "Bearer re_other",
    served: "GET /emails",
    denied: [
      "POST /api-keys",
      "POST /broadcasts",
      `POST /broadcasts/${UUID}/send`,
      "POST /domains",
      "DELETE /emails",
      "GET /nonsense",
    ],
  },
] as const;

describe.each(VENDORS)("$vendor", ({ start, credential, wrong, served, denied }) => {
  let simulator: Simulator;
  beforeEach(async () => {
    simulator = await start();
  });
  afterEach(() => simulator.close());

  const send = async (endpoint: string, headers: Record<string, string> = { authorization: credential }) => {
    const [method = "", path = ""] = endpoint.split(" ");
    return (await fetch(simulator.origin + path, { method, headers })).status;
  };
  const breaches = () => breachesIn([`${simulator.origin}/books`]);

  test.each(denied)("%s is refused, and is a breach in the books", async (endpoint) => {
    expect([404, 405]).toContain(await send(endpoint));

    expect(await breaches()).toEqual([endpoint]);
    await expect(refuseBreaches([`${simulator.origin}/books`])).rejects.toThrow(endpoint);
  });

  test("what is served is none, nor is what comes without the account's credential", async () => {
    expect(await send(served)).toBe(200);
    for (const endpoint of denied) {
      expect([401, 403]).toContain(await send(endpoint, { authorization: wrong }));
      expect([401, 403]).toContain(await send(endpoint, {}));
    }

    expect(await breaches()).toEqual([]);
    await refuseBreaches([`${simulator.origin}/books`]);
  });

  test("the simulator's own endpoints are not the vendor's: a call that gets through to one is a breach", async () => {
    expect(await send("GET /requests", {})).toBe(200);
    expect(await send("GET /requests")).toBe(404);

    expect(await breaches()).toEqual(["GET /requests"]);
  });
});

test("a breach says which request it was and when", async () => {
  const simulator = await startStripeSimulator({ now: () => 1_795_000_000_000 });
  const answer = await fetch(`${simulator.origin}/v1/coupons?percent_off=100`, {
    method: "POST",
    headers: { authorization: "Bearer sk_test_any" },
  });
  const books = await fetch(`${simulator.origin}/books?account=acct_other`);

  expect(await books.json()).toMatchObject({
    breaches: [
      {
        request_id: answer.headers.get("request-id"),
        received_ms: 1_795_000_000_000,
        method: "POST",
        path: "/v1/coupons",
      },
    ],
  });
  await simulator.close();
});

/** An id of the kind that the path of a simulator names. */
const IDS: Readonly<Record<string, string>> = {
  ":account": ACCOUNT,
  "Messages/:sid": `Messages/SM${HEX}`,
  "Calls/:sid": `Calls/CA${HEX}`,
  "Verifications/:sid": `Verifications/VE${HEX}`,
  ":service": `VA${HEX}`,
  ":number": "+14155550100",
  ":country": "US",
};
const withIds = (path: string): string =>
  Object.entries(IDS).reduce((filled, [name, id]) => filled.replace(name, id), path);

const VENDOR_REGISTRY = vendorRegistry();

/** Each route of each simulator, as the product's own catalog is asked for it. */
const SERVED: readonly (readonly [vendor: string, method: string, path: string])[] = [
  ...Object.keys(STRIPE).map((route) => ["stripe", route.replace(/:\w+/g, "xx_1abc")] as const),
  ...Object.keys(RESEND).map((route) => ["resend", route.replace(/:\w+/g, UUID)] as const),
  ...Object.keys(TWILIO_API).map(
    (route) => ["twilio", `${withIds(route).replace(" ", " /2010-04-01")}.json`] as const,
  ),
  ...Object.keys(TWILIO_HOSTS).map((route) => ["twilio", withIds(route)] as const),
].map(([vendor, route]) => {
  const [method = "", path = ""] = route.split(" ");
  return [vendor, method, path] as const;
});

/** What a vendor's books are read by: for the resolver, and for no agent. */
const OF_BOOKS = ["GET /v1/events"];

test.each(SERVED.filter(([, method, path]) => !OF_BOOKS.includes(`${method} ${path}`)))(
  "%s serves %s %s, which the catalog allows",
  (vendor, method, path) => {
    const found = VENDOR_REGISTRY.find(vendor);

    expect(found && endpointOf(found, method, path)?.rule.kind).toMatch(/^(free|priced)$/);
  },
);
