import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { vendorRegistry } from "../../lambda/vendors/index.ts";
import { parseArguments, parseSettings } from "../../local/settings.ts";
import { StartError } from "../../local/start-error.ts";

const EXAMPLES = join(import.meta.dirname, "..", "..", "examples", "vendors");

test("nothing set is port 8787, a new key, in memory, no stage, simulated vendors", () => {
  expect(parseSettings({ KEYBRAKE_DATA: "", PORT: "" })).toEqual({
    port: 8787,
    apiKey: undefined,
    dataFile: undefined,
    stage: undefined,
    definitions: [],
    vendors: {
      stripe: { kind: "simulated" },
      twilio: { kind: "simulated" },
      resend: { kind: "simulated" },
    },
    rateCard: {},
    dynamodbEndpoint: undefined,
    hosts: [],
    tellsDecisions: true,
  });
});

test("everything set is taken as it is", () => {
  const settings = parseSettings({
    PORT: "0",
    KEYBRAKE_API_KEY: "12345678",
    KEYBRAKE_DATA: "./keys.db",
    KEYBRAKE_STAGE: "prod_1-x",
    STRIPE_SECRET_KEY: "sk_test_1",
    KEYBRAKE_STRIPE_ORIGIN: "http://127.0.0.1:12111/",
    TWILIO_ACCOUNT_SID: "AC0123456789abcdef0123456789abcdef",
    TWILIO_AUTH_TOKEN: "token-1",
    RESEND_API_KEY: "re_1",
    KEYBRAKE_TERMS: '{"rates":{"eur":1.09}}',
    KEYBRAKE_DYNAMODB: "http://127.0.0.1:8000/",
    KEYBRAKE_HOSTS: "host.docker.internal, Keybrake,10.0.0.7,[fd00::1],",
    KEYBRAKE_LOG: "off",
  });

  expect(settings).toEqual({
    port: 0,
    apiKey: "12345678",
    dataFile: "./keys.db",
    stage: "prod_1-x",
    definitions: [],
    vendors: {
      stripe: { kind: "upstream", origin: "http://127.0.0.1:12111", credential: "sk_test_1" },
      twilio: { kind: "real", credential: "AC0123456789abcdef0123456789abcdef:token-1" },
      resend: { kind: "real", credential: "re_1" },
    },
    rateCard: { rates: { eur: 1.09 }, rateMarginPercent: 3, prices: { twilio: {}, resend: {} } },
    dynamodbEndpoint: "http://127.0.0.1:8000",
    hosts: ["host.docker.internal", "keybrake", "10.0.0.7", "[fd00::1]"],
    tellsDecisions: false,
  });
});

test("Stripe's own secret key alone is the real Stripe", () => {
  expect(parseSettings({ STRIPE_SECRET_KEY: "sk_live_1" }).vendors["stripe"]).toEqual({
    kind: "real",
    credential: "sk_live_1",
  });
});

test("another upstream without a credential gets a placeholder", () => {
  expect(parseSettings({ KEYBRAKE_STRIPE_ORIGIN: "https://stripe.test" }).vendors["stripe"]).toEqual({
    kind: "upstream",
    origin: "https://stripe.test",
    credential: "sk_test_keybrakeplaceholder",
  });
});

test.each([
  ["PORT", "65536", "PORT is 65536; expected a number from 0 to 65535, where 0 takes a free port"],
  ["PORT", "http", "PORT is http; expected a number from 0 to 65535, where 0 takes a free port"],
  ["PORT", "-1", "PORT is -1; expected a number from 0 to 65535, where 0 takes a free port"],
  [
    "KEYBRAKE_API_KEY",
    "1234567",
    "KEYBRAKE_API_KEY has 7 characters; expected a secret of its own, at least 8 ASCII characters without spaces; or unset it",
  ],
  [
    "KEYBRAKE_STAGE",
    "a/b",
    "KEYBRAKE_STAGE is a/b; expected 1 to 128 letters, digits, hyphens and underscores",
  ],
  [
    "KEYBRAKE_STRIPE_ORIGIN",
    "127.0.0.1:1",
    "KEYBRAKE_STRIPE_ORIGIN is 127.0.0.1:1; expected an origin without a path",
  ],
  [
    "KEYBRAKE_STRIPE_ORIGIN",
    "http://a/v1",
    "KEYBRAKE_STRIPE_ORIGIN is http://a/v1; expected an origin without a path",
  ],
  [
    "KEYBRAKE_STRIPE_ORIGIN",
    "ftp://a",
    "KEYBRAKE_STRIPE_ORIGIN is ftp://a; expected an origin without a path",
  ],
  ["KEYBRAKE_TERMS", "{", "KEYBRAKE_TERMS is not JSON; expected rates and prices such as {"],
  [
    "KEYBRAKE_TERMS",
    '{"rates":{"eur":-1}}',
    "KEYBRAKE_TERMS has rates.eur: expected US dollars for one unit",
  ],
  ["KEYBRAKE_TERMS", '{"price":{}}', "KEYBRAKE_TERMS has price: "],
  ...["*.example", "http://keybrake", "keybrake:8787", "a/b", "a b"].map((host): [string, string, string] => [
    "KEYBRAKE_HOSTS",
    `keybrake,${host}`,
    `KEYBRAKE_HOSTS has ${host}; expected names without scheme, port or wildcard`,
  ]),
  ["KEYBRAKE_LOG", "quiet", "KEYBRAKE_LOG is quiet; expected on (a line for each decision) or off"],
  [
    "TWILIO_AUTH_TOKEN",
    "x",
    "TWILIO_ACCOUNT_SID is not set; Twilio needs TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN, or none of them",
  ],
])("%s=%s is refused, and the message says what is taken", (name, value, message) => {
  expect(() => parseSettings({ [name]: value })).toThrow(StartError);
  expect(() => parseSettings({ [name]: value })).toThrow(message);
});

const SID = "AC0123456789abcdef0123456789abcdef";
const HEX = "0123456789abcdef0123456789abcdef";
const UNUSABLE = "has a space, a line break or a character that is not ASCII";
const VAULT_KEY = `kbvk${"A".repeat(54)}`;

/** Guarantees that what cannot be a key is refused before anything is called with it, and is never shown. */
test.each([
  ["KEYBRAKE_API_KEY", "two words here", UNUSABLE],
  ["KEYBRAKE_API_KEY", "tab\there-it-is", UNUSABLE],
  ["KEYBRAKE_API_KEY", "line-break-after\n", UNUSABLE],
  ["KEYBRAKE_API_KEY", "schlüssel-12345", UNUSABLE],
  ["KEYBRAKE_API_KEY", "zero\u200bwidth-space", UNUSABLE],
  ["KEYBRAKE_API_KEY", "sk_live_51Habcdefghijklmnop", "looks like a secret key of Stripe"],
  ["KEYBRAKE_API_KEY", "rk_test_51Habcdefghijklmnop", "looks like a secret key of Stripe"],
  ["KEYBRAKE_API_KEY", `re_12345678_${"a".repeat(24)}`, "looks like an API key of Resend"],
  ["KEYBRAKE_API_KEY", `${SID}:${HEX}`, "looks like a credential of Twilio"],
  ["KEYBRAKE_API_KEY", VAULT_KEY, "looks like a vault key"],
  ["STRIPE_SECRET_KEY", "hello", "is not a key of this kind"],
  ["STRIPE_SECRET_KEY", "pk_live_51Habcdef", "looks like a publishable key of Stripe"],
  ["STRIPE_SECRET_KEY", "sk_test_51Habc def", UNUSABLE],
  ["STRIPE_SECRET_KEY", '"sk_test_51Habcdef"', "is not a key of this kind"],
  ["STRIPE_SECRET_KEY", "whsec_51Habcdef", "looks like the signing secret of a webhook"],
  ["STRIPE_SECRET_KEY", VAULT_KEY, "looks like a vault key"],
  ["STRIPE_SECRET_KEY", "sk_test_51H-abcdef", "is cut short or mistyped"],
  ["RESEND_API_KEY", "hello", "is not a key of this kind"],
  ["RESEND_API_KEY", "re_12345678-abc", "is cut short or mistyped"],
  ["RESEND_API_KEY", "sk_test_51Habcdef", "looks like a secret key of Stripe"],
  ["RESEND_API_KEY", "re_1234\r\nX-Evil: 1", UNUSABLE],
  ["TWILIO_AUTH_TOKEN", "my token", UNUSABLE],
  ["TWILIO_AUTH_TOKEN", `SK${HEX}`, "looks like an account or key SID of Twilio"],
  ["TWILIO_AUTH_TOKEN", `SK${HEX}:`, "looks like a credential of Twilio"],
  ["TWILIO_AUTH_TOKEN", `${SID}:${HEX}`, "looks like a credential of Twilio"],
  ["TWILIO_AUTH_TOKEN", "sk_test_51Habcdef", "looks like a secret key of Stripe"],
  ["TWILIO_AUTH_TOKEN", VAULT_KEY, "looks like a vault key"],
])("%s=%j is refused, says what is taken, and is not repeated", (name, value, why) => {
  const twilio = name === "TWILIO_AUTH_TOKEN" ? { TWILIO_ACCOUNT_SID: SID } : {};
  let message = "";
  try {
    parseSettings({ ...twilio, [name]: value });
  } catch (error) {
    message = error instanceof StartError ? error.message : "";
  }

  expect(message).toContain(`${name} ${why}`);
  expect(message).toMatch(/; expected .*; or unset it/);
  expect(message).not.toContain(value);
  expect(message).not.toContain("\n");
});

test.each([
  ["KEYBRAKE_API_KEY", HEX],
  ["KEYBRAKE_API_KEY", "kb_0123456789abcdefABCDEF0123456789abcdefAB"],
  ["KEYBRAKE_API_KEY", "p@ss:w0rd/with+signs="],
  ["STRIPE_SECRET_KEY", "rk_live_51Habcdef"],
  ["STRIPE_SECRET_KEY", "sk_org_test_51Habcdef"],
  ["RESEND_API_KEY", "re_123456789"],
  ["TWILIO_AUTH_TOKEN", HEX],
  ["TWILIO_AUTH_TOKEN", `SK${HEX}:${"a".repeat(32)}`],
])("%s=%s is taken", (name, value) => {
  expect(() =>
    parseSettings({ TWILIO_ACCOUNT_SID: SID, TWILIO_AUTH_TOKEN: HEX, [name]: value }),
  ).not.toThrow();
});

test("an account SID that is a key's SID is told where that goes", () => {
  expect(() => parseSettings({ TWILIO_ACCOUNT_SID: `SK${HEX}`, TWILIO_AUTH_TOKEN: HEX })).toThrow(
    "SK… goes before its secret in TWILIO_AUTH_TOKEN",
  );
});

/** stripe-mock takes `sk_test_` with letters and digits alone; a simulated vendor takes its placeholder and nothing else. */
test.each([
  ["stripe", /^sk_test_[A-Za-z0-9]+$/],
  ["twilio", /^AC[0-9a-f]{32}:[0-9a-f]{32}$/],
  ["resend", /^re_[A-Za-z0-9]{8}_[A-Za-z0-9]{24}$/],
] as const)("the placeholder of %s has the form of the real thing", (name, form) => {
  expect(vendorRegistry().find(name)?.local.placeholder).toMatch(form);
});

test("arguments are refused, since variables say everything", () => {
  expect(() => parseArguments([])).not.toThrow();
  expect(() => parseArguments(["--quiet"])).toThrow("got 1 arguments; expected none: ");
});

const IMAGES = readFileSync(join(EXAMPLES, "images.json"), "utf8");
const ON_LOOPBACK = JSON.stringify({ ...JSON.parse(IMAGES), origin: "http://127.0.0.1:9999" });

/** Guarantees that a vendor that is only described is called for real with its secret alone, or on this machine. */
describe("KEYBRAKE_VENDORS", () => {
  test.each<readonly [string, Readonly<Record<string, string>>, object]>([
    ["a definition", { KEYBRAKE_VENDORS: IMAGES }, { kind: "simulated" }],
    ["a list", { KEYBRAKE_VENDORS: `[${IMAGES}]` }, { kind: "simulated" }],
    ["a file", { KEYBRAKE_VENDORS: join(EXAMPLES, "images.json") }, { kind: "simulated" }],
    [
      "with its secret",
      { KEYBRAKE_VENDORS: IMAGES, KEYBRAKE_IMAGES_SECRET: "a-secret-of-8" },
      { kind: "real", credential: "a-secret-of-8" },
    ],
    [
      "with another origin",
      { KEYBRAKE_VENDORS: IMAGES, KEYBRAKE_IMAGES_ORIGIN: "http://127.0.0.1:1" },
      { kind: "upstream", origin: "http://127.0.0.1:1", credential: "placeholder-for-images" },
    ],
    [
      "on this machine",
      { KEYBRAKE_VENDORS: ON_LOOPBACK },
      { kind: "upstream", origin: "http://127.0.0.1:9999", credential: "placeholder-for-images" },
    ],
    [
      "on this machine, with its secret",
      { KEYBRAKE_VENDORS: ON_LOOPBACK, KEYBRAKE_IMAGES_SECRET: "a-secret-of-8" },
      { kind: "upstream", origin: "http://127.0.0.1:9999", credential: "a-secret-of-8" },
    ],
  ])("takes %s", (_, environment, target) => {
    const { definitions, vendors } = parseSettings(environment);

    expect(definitions).toMatchObject([{ name: "images" }]);
    expect(vendors).toMatchObject({ images: target, stripe: { kind: "simulated" } });
  });

  test.each([
    [
      "no file",
      "no-such-file.json",
      /^KEYBRAKE_VENDORS is no-such-file\.jso…, which cannot be read: .*; expected a definition of a vendor or a list/,
    ],
    ["no JSON", "{", /^KEYBRAKE_VENDORS is not JSON/],
    [
      "an endpoint twice",
      IMAGES.replace('"GET /v1/models": "free"', '"GET /v1/models": "free", "GET /v1/models": 1'),
      /^KEYBRAKE_VENDORS names a field twice \(endpoints\.GET \/v1\/models\)/,
    ],
    [
      "a wrong field",
      IMAGES.replace('"max": 10', '"maximum": 10'),
      /^KEYBRAKE_VENDORS has endpoints\.POST \/v1\/images\.price\.times\.max: it is missing; expected a whole number/,
    ],
    [
      "a built-in vendor",
      `[${IMAGES.replace('"images"', '"stripe"')}]`,
      /^KEYBRAKE_VENDORS has 0\.name: .*it is taken/,
    ],
  ])("refuses %s", (_, text, message) => {
    expect(() => parseSettings({ KEYBRAKE_VENDORS: text })).toThrow(StartError);
    expect(() => parseSettings({ KEYBRAKE_VENDORS: text })).toThrow(message);
  });

  test("refuses a secret that cannot be one, without repeating it", () => {
    const start = () => parseSettings({ KEYBRAKE_VENDORS: IMAGES, KEYBRAKE_IMAGES_SECRET: "two words here" });
    expect(start).toThrow(/^KEYBRAKE_IMAGES_SECRET has a space/);
    expect(start).not.toThrow(/two words/);
  });
});

/** Guarantees that a ledger that decides about real money does not cross a network open. */
test.each([
  ["http://10.0.0.5:8000", { STRIPE_SECRET_KEY: "sk_test_x" }, false],
  ["http://127.0.0.1:8000", { STRIPE_SECRET_KEY: "sk_test_x" }, true],
  ["https://10.0.0.5:8000", { STRIPE_SECRET_KEY: "sk_test_x" }, true],
  ["http://10.0.0.5:8000", {}, true],
])("a DynamoDB at %s is taken beside %j: %s", (KEYBRAKE_DYNAMODB, credentials, isTaken) => {
  const read = () => parseSettings({ ...credentials, KEYBRAKE_DYNAMODB }).dynamodbEndpoint;
  if (isTaken) expect(read()).toBe(KEYBRAKE_DYNAMODB);
  else expect(read).toThrow("KEYBRAKE_DYNAMODB is http; with a credential of a vendor, expected https");
});
