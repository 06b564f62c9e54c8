import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { deploymentUnderTest } from "../support/deployed.ts";
import { at } from "../support/json.ts";
import { ask, issue, type Key, type OwnRun, startOwn } from "../support/keybrake.ts";
import { RESEND_PACKAGES, resendClient } from "../support/resend-node.ts";
import { simulatorAt } from "../support/simulator.ts";
import * as stripeNode from "../support/stripe-node.ts";
import { STRIPE_PACKAGES, stripeClient } from "../support/stripe-node.ts";
import * as twilioNode from "../support/twilio-node.ts";
import { TWILIO_PACKAGES, twilioClient } from "../support/twilio-node.ts";

/**
 * Every SDK with every key that it should not hold, under its vendor's path and at the root: it raises its natural error
 * with our message, and never takes a refusal for a success.
 */

const VENDOR_NAMES = ["stripe", "twilio", "resend"] as const;
type VendorName = (typeof VENDOR_NAMES)[number];

const realNow = Date.now;
let aheadMs = 0;
let run: OwnRun;
/** A key's token by vendor and condition. */
const tokens = new Map<string, string>();
beforeAll(async () => {
  vi.spyOn(Date, "now").mockImplementation(() => realNow() + aheadMs);
  run = await startOwn();
  for (const vendor of VENDOR_NAMES) {
    const made = (condition: string, key: Key) => tokens.set(`${condition} of ${vendor}`, key.token);
    made("expired", await issue(run, { vendor, expires_in: "30s" }));
    aheadMs += 31_000;
    made("good", await issue(run, { vendor }));
    made("narrow", await issue(run, { vendor, allowed_endpoints: [`GET ${NEVER_CALLED[vendor]}`] }));
    made("capped", await issue(run, { vendor, daily_usd_cap: 0.0001 }));
    const revoked = await issue(run, { vendor });
    made("revoked", revoked);
    await ask(run, "POST", `/vault/keys/${revoked.id}/revoke`, { token: run.apiKey });
  }
  tokens.set("mistyped", `${tokens.get("good of stripe")?.slice(0, -1)}_`);
  tokens.set("an API key", run.apiKey);
  tokens.set("a secret of a vendor", "sk_live_51HxkLmTopSecretOfSomebody");
});
afterAll(async () => {
  await run.close();
  vi.restoreAllMocks();
});

const NEVER_CALLED = {
  stripe: "/v1/customers",
  twilio: "/2010-04-01/Accounts/*/Messages.json",
  resend: "/emails/*",
} as const;

interface Refusal {
  readonly class: string;
  readonly status: unknown;
  readonly code: unknown;
  readonly message: string;
}

interface Sdk {
  readonly name: string;
  readonly vendor: VendorName;
  readonly place: string;
  /** A call that costs something; fails where it is taken for a success. */
  refused(token: string): Promise<Refusal>;
}

const SDKS: readonly Sdk[] = [
  ...STRIPE_PACKAGES.flatMap((name) =>
    (["fetch", "host"] as const).map(
      (way): Sdk => ({
        name,
        vendor: "stripe",
        place: way === "host" ? "at the root" : "under its vendor's path",
        refused: async (token) => {
          const client = stripeClient(name, way, run.baseUrl, token);
          const error = await stripeNode.refusalOf(
            client.paymentIntents.create({ amount: 2999, currency: "usd" }),
          );
          const { class: kind, statusCode, code, message } = error;
          return { class: String(kind), status: statusCode, code, message };
        },
      }),
    ),
  ),
  ...TWILIO_PACKAGES.flatMap((name) =>
    ["/twilio", ""].map(
      (under): Sdk => ({
        name,
        vendor: "twilio",
        place: under === "" ? "at the root" : "under its vendor's path",
        refused: async (token) => {
          const client = twilioClient(name, "baseUrl", run.baseUrl, token, { under });
          const error = await twilioNode.refusalOf(
            client.messages.create({ to: "+14155550100", from: "+14155550199", body: "x" }),
          );
          return { ...error, code: `${error.code} ${error.details?.["keybrake_code"]}` };
        },
      }),
    ),
  ),
  ...RESEND_PACKAGES.flatMap((name) =>
    ["/resend", ""].map(
      (under): Sdk => ({
        name,
        vendor: "resend",
        place: under === "" ? "at the root" : "under its vendor's path",
        refused: async (token) => {
          const { data, error } = await resendClient(name, run, token, under).emails.send({
            from: "a@example.org",
            to: "b@example.org",
            subject: "x",
            text: "x",
          });
          expect(data).toBeNull();
          const { statusCode, name: kind, message, keybrake_code: code } = error ?? {};
          return { class: String(kind), status: statusCode, code, message: String(message) };
        },
      }),
    ),
  ),
];

/** What is natural for an SDK: its class or name, and where our code stands. */
const NATURAL: Readonly<
  Record<VendorName, (status: number, code: string) => { readonly class: string; readonly code: string }>
> = {
  stripe: (status, code) => ({
    class:
      { 401: "StripeAuthenticationError", 403: "StripePermissionError", 429: "StripeRateLimitError" }[
        status
      ] ?? "",
    code: code === "key_expired" ? "api_key_expired" : code,
  }),
  twilio: (status, code) => ({
    class: "RestException",
    code: `${{ 401: 20003, 403: 20403, 429: 20429 }[status]} ${code}`,
  }),
  resend: (status, code) => ({
    class: { 401: "invalid_api_key", 429: "daily_quota_exceeded" }[status] ?? code,
    code,
  }),
};

interface Wrong {
  readonly token: string;
  readonly status: number;
  readonly code: string;
  readonly says: RegExp;
}

const others = (vendor: VendorName) => VENDOR_NAMES.filter((other) => other !== vendor);
const refusedAlways = (vendor: VendorName): readonly Wrong[] => [
  {
    token: `expired of ${vendor}`,
    status: 401,
    code: "key_expired",
    says: /^vault key key_\w+ expired at 20/,
  },
  { token: `revoked of ${vendor}`, status: 401, code: "key_revoked", says: /^vault key key_\w+ was revoked/ },
];
const isOf = (key: string, path: string) =>
  RegExp(
    `^vault key key_\\w+ is for ${key}; this path belongs to ${path}; use …/${key} as the base URL of ${key}'s SDK, or issue a key for ${path};`,
  );

/** What an SDK of `vendor` may be given that it should not hold. */
const wrongFor = ({ vendor, place }: Sdk): readonly Wrong[] => [
  { token: "mistyped", status: 401, code: "key_unknown", says: /vault key/ },
  {
    token: "an API key",
    status: 401,
    code: "key_unknown",
    says: /this is not a vault key: it looks like an API key/,
  },
  { token: "a secret of a vendor", status: 401, code: "key_unknown", says: /a secret key of Stripe/ },
  ...VENDOR_NAMES.flatMap(refusedAlways),
  ...others(vendor).flatMap((other) =>
    ["good", "narrow", "capped"].map((condition) => ({
      token: `${condition} of ${other}`,
      status: 403,
      code: place === "at the root" ? "endpoint_not_priced" : "endpoint_not_allowed",
      says: isOf(other, vendor),
    })),
  ),
  {
    token: `narrow of ${vendor}`,
    status: 403,
    code: "endpoint_not_allowed",
    says: /^vault key key_\w+ does not allow POST \//,
  },
  {
    token: `capped of ${vendor}`,
    status: 429,
    code: "spend_cap_exceeded",
    says: /^vault key key_\w+ spend cap exceeded: daily cap \$0\.0001/,
  },
];

/** A host alone leads nowhere where the URL has a stage: that takes a custom domain (README). */
const isReachable = ({ vendor, place }: Sdk) =>
  deploymentUnderTest() === null || vendor !== "stripe" || place !== "at the root";

describe.each(SDKS.filter(isReachable))("$name $place", (sdk) => {
  test.each(wrongFor(sdk))("refuses with $status $code by a key that is $token", async (wrong) => {
    const { token, status, code, says } = wrong;

    const refusal = await sdk.refused(tokens.get(token) ?? "");

    expect(refusal).toMatchObject({ status, ...NATURAL[sdk.vendor](status, code) });
    expect(refusal.message).toMatch(says);
    expect(refusal.message).toMatch(/nothing was charged/);
  });
});

/** Requests of any client, and that the answer is the body for every SDK. */
const FOR_EVERY_SDK: readonly (readonly [string, string, Readonly<Record<string, string>>])[] = [
  ["/v1/payment_intents", "no key at all", {}],
  ["/2010-04-01/Accounts/AC00000000000000000000000000000000/Messages.json", "no key at all", {}],
  ["/emails", "Basic auth with a password that is none", { Authorization: `Basic ${btoa("AC1:x")}` }],
  ["/vault/nonsense", "no key at all", {}],
  ["/twilio", "no key at all", {}],
  ["/healthz/nonsense", "no key at all", {}],
  ["/stripe/emails", "no key at all", {}],
  ["/resend/v1/payment_intents", "no key at all", {}],
  [
    "/twilio/v1/charges",
    "Basic auth with a password that is none",
    { Authorization: `Basic ${btoa("AC1:x")}` },
  ],
];

test.each(FOR_EVERY_SDK)("POST %s with %s is refused in a body for every SDK", async (path, _, headers) => {
  const {
    status,
    json,
    headers: answered,
  } = await ask(run, "POST", path, { headers, form: { amount: "1" } });

  const code = status === 404 ? "not_found" : "key_unknown";
  const message = expect.stringMatching(/; nothing was charged$/);
  expect(json).toMatchObject({
    error: { type: expect.stringMatching(/_error$/), code, message, charged: "no" },
    statusCode: status,
    status,
    name: expect.any(String),
    message,
    code: expect.any(Number),
    more_info: expect.any(String),
    keybrake_code: code,
    details: { keybrake_code: code, charged: "no" },
  });
  expect(answered).toMatchObject({
    "keybrake-code": code,
    "keybrake-charged": "no",
    "stripe-should-retry": "false",
    "request-id": expect.any(String),
    "twilio-request-id": expect.any(String),
  });
});

test("what a vendor's own shape tells is in the body for every SDK too", async () => {
  const bodies = await Promise.all(
    VENDOR_NAMES.map(async (vendor) => {
      const token = tokens.get(`capped of ${vendor}`) ?? "";
      const [path, asked] = {
        stripe: ["/v1/payment_intents", { form: { amount: "2999", currency: "usd" } }],
        twilio: [
          "/2010-04-01/Accounts/AC00000000000000000000000000000000/Messages.json",
          { form: { To: "+14155550100", From: "+14155550199", Body: "x" } },
        ],
        resend: ["/emails", { json: { from: "a@b.co", to: "c@d.co", subject: "x", text: "x" } }],
      }[vendor] as [string, object];
      const own = await ask(run, "POST", `/${vendor}${path}`, { token, ...asked });
      const root = await ask(run, "POST", path, { token, ...asked });
      return { vendor, own, root };
    }),
  );

  for (const { vendor, own, root } of bodies) {
    const told = JSON.parse(own.text, (name, value) => (name === "request_id" ? undefined : value));
    // The one field that two vendors have: a number makes Twilio's exception, and ours stands beside it.
    if (vendor === "resend") delete told.code;
    expect(root.json, vendor).toMatchObject(told);
    expect(root.status).toBe(429);
    expect(root.json).toMatchObject({ code: 20429, keybrake_code: "spend_cap_exceeded", cap_usd: 0.0001 });
    for (const name of Object.keys(own.headers)) expect(Object.keys(root.headers)).toContain(name);
  }
});

describe("ours or the vendor's, in code (docs/errors.md)", () => {
  test.each(STRIPE_PACKAGES.flatMap((name) => (["host", "fetch"] as const).map((way) => ({ name, way }))))(
    "$name by $way has keybrake-code in error.headers of ours alone",
    async ({ name, way }) => {
      if (way === "host" && deploymentUnderTest() !== null) return;
      const wanted = { amount: 2999, currency: "usd" };
      const create = (condition: string, fields: object = {}) =>
        stripeNode.refusalOf(
          stripeClient(name, way, run.baseUrl, tokens.get(`${condition} of stripe`) ?? "", {
            maxNetworkRetries: 0,
          }).paymentIntents.create({ ...wanted, ...fields }),
        );

      const ours = await create("capped");
      const stripes = await create("good", { metadata: { keybrake_fault: "429" } });

      expect([ours["statusCode"], stripes["statusCode"]]).toEqual([429, 429]);
      expect(at(ours["headers"], "keybrake-code")).toBe("spend_cap_exceeded");
      expect(ours["code"]).toBe("spend_cap_exceeded");
      expect("keybrake-code" in (stripes["headers"] as object)).toBe(false);
    },
  );

  test.each(TWILIO_PACKAGES)("%s has keybrake_code in error.details of ours alone", async (name) => {
    const create = (condition: string) =>
      twilioNode.refusalOf(
        twilioClient(
          name,
          "baseUrl",
          run.baseUrl,
          tokens.get(`${condition} of twilio`) ?? "",
        ).messages.create({ to: "+14155550100", from: "+14155550199", body: "x" }),
      );
    await simulatorAt(run.vendor("twilio").origin).fault({
      kind: "429",
      method: "POST",
      path: "/Messages.json",
    });

    const ours = await create("capped");
    const twilios = await create("good");

    expect([ours.status, twilios.status]).toEqual([429, 429]);
    expect(ours.details?.["keybrake_code"]).toBe("spend_cap_exceeded");
    expect(twilios.details?.["keybrake_code"]).toBeUndefined();
  });

  test.each(RESEND_PACKAGES)("%s has keybrake_code in error of ours alone", async (name) => {
    const send = async (condition: string) => {
      const client = resendClient(name, run, tokens.get(`${condition} of resend`) ?? "");
      const { error } = await client.emails.send({ from: "a@b.co", to: "c@d.co", subject: "x", text: "x" });
      return error;
    };
    await simulatorAt(run.vendor("resend").origin).fault({ kind: "429", method: "POST", path: "/emails" });

    const ours = await send("capped");
    const resends = await send("good");

    expect([ours?.["statusCode"], resends?.["statusCode"]]).toEqual([429, 429]);
    expect(ours?.["keybrake_code"]).toBe("spend_cap_exceeded");
    expect(resends?.["keybrake_code"]).toBeUndefined();
  });
});

/** Guarantees that a client which sleeps as long as it is told finds room, and that no other is told to sleep. */
test("Retry-After stands near the end of a window where the call fits then, and it does", async () => {
  const stripe = (body: Readonly<Record<string, unknown>>) => issue(run, { expires_in: "3d", ...body });
  const [fits, aboveAll, total] = [
    await stripe({ daily_usd_cap: 10 }),
    await stripe({ daily_usd_cap: 10 }),
    await stripe({ daily_usd_cap: 10, total_usd_cap: 12 }),
  ];
  const ending = await stripe({ daily_usd_cap: 10, expires_in: "24h" });
  const pays = (key: Key, cents: number) =>
    ask(run, "POST", "/stripe/v1/payment_intents", {
      token: key.token,
      form: { amount: `${cents}`, currency: "usd" },
    });
  for (const key of [fits, aboveAll, total, ending]) await pays(key, 900);
  const early = await pays(fits, 500);
  aheadMs += 24 * 3_600_000 - 540_000;

  const [late, never, notInTotal, gone] = [
    await pays(fits, 500),
    await pays(aboveAll, 1001),
    await pays(total, 500),
    await pays(ending, 500),
  ];

  const asked = [early, late, never, notInTotal, gone].map(({ status, headers }) => [
    status,
    headers["retry-after"] === undefined ? null : Number(headers["retry-after"]),
  ]);
  expect(asked).toEqual([
    [429, null],
    [429, expect.any(Number)],
    [429, null],
    [429, null],
    [429, null],
  ]);
  const seconds = Number(late.headers["retry-after"]);
  expect(seconds).toBeGreaterThan(480);
  expect(seconds).toBeLessThanOrEqual(540);

  aheadMs += seconds * 1000;
  expect((await pays(fits, 500)).status).toBe(200);
});
