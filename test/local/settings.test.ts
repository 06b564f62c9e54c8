import { expect, test } from "vitest";
import { parseSettings } from "../../lib/local/settings.ts";
import { StartError } from "../../lib/local/start-error.ts";

test("nothing set is port 8787, a new key, in memory, no stage, simulated vendors", () => {
  expect(parseSettings({ KEYBRAKE_DATA: "", PORT: "" })).toEqual({
    port: 8787,
    apiKey: undefined,
    dataFile: undefined,
    stage: undefined,
    vendors: {
      stripe: { kind: "simulated" },
      twilio: { kind: "simulated" },
      resend: { kind: "simulated" },
    },
    terms: {},
    dynamodbEndpoint: undefined,
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
    AWS_ENDPOINT_URL_DYNAMODB: "http://127.0.0.1:8000",
  });

  expect(settings).toEqual({
    port: 0,
    apiKey: "12345678",
    dataFile: "./keys.db",
    stage: "prod_1-x",
    vendors: {
      stripe: { kind: "upstream", origin: "http://127.0.0.1:12111", credential: "sk_test_1" },
      twilio: { kind: "real", credential: "AC0123456789abcdef0123456789abcdef:token-1" },
      resend: { kind: "real", credential: "re_1" },
    },
    terms: { rates: { eur: 1.09 }, rateMarginPercent: 3, prices: { twilio: {}, resend: {} } },
    dynamodbEndpoint: "http://127.0.0.1:8000",
  });
});

test("Stripe's own secret key alone is the real Stripe", () => {
  expect(parseSettings({ STRIPE_SECRET_KEY: "sk_live_1" }).vendors.stripe).toEqual({
    kind: "real",
    credential: "sk_live_1",
  });
});

test("another upstream without a credential gets a placeholder", () => {
  expect(parseSettings({ KEYBRAKE_STRIPE_ORIGIN: "https://stripe.test" }).vendors.stripe).toEqual({
    kind: "upstream",
    origin: "https://stripe.test",
    credential: "sk_test_keybrake_placeholder",
  });
});

test.each([
  ["PORT", "65536", "PORT is 65536; it takes a number from 0 to 65535, where 0 takes a free port"],
  ["PORT", "http", "PORT is http; it takes a number from 0 to 65535, where 0 takes a free port"],
  ["PORT", "-1", "PORT is -1; it takes a number from 0 to 65535, where 0 takes a free port"],
  [
    "KEYBRAKE_API_KEY",
    "1234567",
    "KEYBRAKE_API_KEY has 7 characters; it takes 8 or more, or unset it to get a new one",
  ],
  [
    "KEYBRAKE_STAGE",
    "a/b",
    "KEYBRAKE_STAGE is a/b; it takes 1 to 128 letters, digits, hyphens and underscores",
  ],
  [
    "KEYBRAKE_STRIPE_ORIGIN",
    "127.0.0.1:1",
    "KEYBRAKE_STRIPE_ORIGIN is 127.0.0.1:1; it takes an origin without a path",
  ],
  [
    "KEYBRAKE_STRIPE_ORIGIN",
    "http://a/v1",
    "KEYBRAKE_STRIPE_ORIGIN is http://a/v1; it takes an origin without a path",
  ],
  [
    "KEYBRAKE_STRIPE_ORIGIN",
    "ftp://a",
    "KEYBRAKE_STRIPE_ORIGIN is ftp://a; it takes an origin without a path",
  ],
  ["KEYBRAKE_TERMS", "{", "KEYBRAKE_TERMS is no JSON; it takes rates and prices such as {"],
  [
    "KEYBRAKE_TERMS",
    '{"rates":{"eur":-1}}',
    "KEYBRAKE_TERMS has rates.eur: accepted is US dollars for one unit",
  ],
  ["KEYBRAKE_TERMS", '{"price":{}}', "KEYBRAKE_TERMS has price: "],
  ["TWILIO_AUTH_TOKEN", "x", "TWILIO_ACCOUNT_SID is not set; Twilio needs both, or neither to be simulated"],
])("%s=%s is refused, and the message says what is taken", (name, value, message) => {
  expect(() => parseSettings({ [name]: value })).toThrow(StartError);
  expect(() => parseSettings({ [name]: value })).toThrow(message);
});
