import type { APIGatewayProxyEvent } from "aws-lambda";
import { beforeEach, describe, expect, test, vi } from "vitest";
import { makeVaultKey } from "../../lambda/domain/vault-key.ts";

/** Guarantees that an operator finds who sends keys that do not exist, and that nobody fills the log with them. */

const MINUTE_MS = 60_000;
const { token } = makeVaultKey("a".repeat(16), "b".repeat(32));

interface Line {
  readonly message: string;
  readonly fields: Readonly<Record<string, string | number>>;
}

let lines: Line[];
let unknownKey: (from: string, nowMs: number, headers?: Readonly<Record<string, string>>) => void;

beforeEach(async () => {
  lines = [];
  vi.resetModules();
  vi.stubEnv("POWERTOOLS_METRICS_DISABLED", "true");
  const { countUnknownKey } = await import("../../lambda/handlers/unknown-keys.ts");
  unknownKey = (from, nowMs, headers = {}) => {
    const event = {
      resource: "/stripe/{proxy+}",
      multiValueHeaders: Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, [value]])),
      requestContext: { identity: { sourceIp: from } },
    };
    countUnknownKey(
      event as unknown as APIGatewayProxyEvent,
      (message, fields) => lines.push({ message, fields }),
      nowMs,
    );
  };
});

const basic = (user: string, password: string) =>
  `Basic ${Buffer.from(`${user}:${password}`).toString("base64")}`;

describe("what is logged", () => {
  test.each([
    ["a vault key", token, `Bearer ${token}`, "a vault key, which calls its vendor and manages only itself"],
    [
      "a vendor's secret",
      "sk_live_4eC39HqLyjWDarjtT1zdp7dc",
      "Bearer sk_live_4eC39HqLyjWDarjtT1zdp7dc",
      "a secret key of Stripe",
    ],
    ["a password", "0".repeat(32), basic("ACa", "0".repeat(32)), "an auth token of Twilio"],
    ["a guess", "guess-4711", "Bearer guess-4711", "an unknown kind of key"],
    ["no key", token, "", "no key at all"],
  ])(
    "is where %s came from, and never the secret, though the user agent repeats it",
    (_, secret, authorization, looksLike) => {
      unknownKey("192.0.2.1", 0, {
        ...(authorization === "" ? {} : { Authorization: authorization }),
        "User-Agent": `billing/1.0 (${secret})`,
      });

      expect(lines).toEqual([
        {
          message: "unknown key",
          fields: {
            source_ip: "192.0.2.1",
            user_agent: expect.stringMatching(/^billing\/1\.0 \((?:[a-z]+_?)?\[redacted\]\)$/),
            resource: "/stripe/{proxy+}",
            looks_like: looksLike,
            requests: 1,
          },
        },
      ]);
      expect(JSON.stringify(lines)).not.toContain(secret);
    },
  );

  test("is no more of the user agent than says what it is", () => {
    unknownKey("192.0.2.1", 0, { "User-Agent": "x".repeat(9_000) });
    expect(`${lines[0]?.fields["user_agent"]}`).toHaveLength(200);
  });
});

describe("how much is logged", () => {
  test("is a line for an address in a minute, which counts those before it", () => {
    for (let request = 0; request < 100; request++) unknownKey("192.0.2.1", request);
    unknownKey("192.0.2.2", 50);
    unknownKey("192.0.2.1", MINUTE_MS - 1);
    unknownKey("192.0.2.1", MINUTE_MS);
    unknownKey("192.0.2.1", 2 * MINUTE_MS);
    expect(lines.map(({ fields }) => [fields["source_ip"], fields["requests"]])).toEqual([
      ["192.0.2.1", 1],
      ["192.0.2.2", 1],
      ["192.0.2.1", 101],
      ["192.0.2.1", 1],
    ]);
  });

  test("has an end, however many addresses there are", () => {
    for (let address = 0; address < 5_000; address++) unknownKey(`2001:db8::${address.toString(16)}`, 0);
    expect(lines).toHaveLength(200);
    unknownKey("192.0.2.1", MINUTE_MS);
    expect(lines).toHaveLength(201);
  });
});
