import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import Stripe from "stripe";
import { describe, expect, test } from "vitest";
import type { Endpoint, Vendor } from "../../lambda/domain/vendor.ts";
import { endpointOf } from "../../lambda/vendors/catalog-entry.ts";
import { DENIED } from "../../lambda/vendors/stripe/denied.ts";
import { FREE_WRITES } from "../../lambda/vendors/stripe/free-writes.ts";
import { ACCOUNT_READS, READS } from "../../lambda/vendors/stripe/reads.ts";
import { stripe } from "../../lambda/vendors/stripe/stripe.ts";

/**
 * Guarantees that every call of the installed stripe-node versions was looked at: it is priced, free, or denied for a
 * reason. So a new version of the SDK cannot bring an endpoint that nobody has judged.
 */

const VERSIONS = ["stripe-12", "stripe-17", "stripe-22", "stripe"];
const SAMPLE_ID = "obj_1Abc";

/** Without a file, and without a version, two of the calls would not be sent. */
const FILE = { data: "a", name: "a.txt", type: "text/plain" };

/** What an SDK calls without a path of its own: the address of an object that an event named. */
const DYNAMIC = 1;

const sources = (version: string): string[] => {
  const root = join(import.meta.dirname, "../../node_modules", version, "cjs/resources");
  return readdirSync(root, { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".js"))
    .map((file) => readFileSync(join(root, file), "utf8"));
};

const endpoint = (method = "", path = "") => `${method} ${path.replace(/\$?\{[^}]*\}/g, "{id}")}`;

/** Every call that a version makes, as `METHOD /path` with `{id}`. Older versions declare them, newer ones make them. */
function endpointsOf(version: string): string[] {
  return sources(version).flatMap((source) => [
    ...Array.from(source.matchAll(/_makeRequest\('([A-Z]+)',\s*[`']([^`']+)[`']/g), ([, method, path]) =>
      endpoint(method, path),
    ),
    ...Array.from(source.matchAll(/method: '([A-Z]+)',\s*fullPath: '([^']+)'/g), ([, method, path]) =>
      endpoint(method, path),
    ),
    ...Array.from(source.matchAll(/method: '([A-Z]+)',\s*path: '(oauth[^']+)'/g), ([, method, path]) =>
      endpoint(method, `/${path}`),
    ),
  ]);
}

/** What the newest version really sends: every method of every resource, called once. */
async function endpointsSent(): Promise<Set<string>> {
  const sent = new Set<string>();
  const httpClient = Stripe.createFetchHttpClient(async (url: string | URL | Request, init?: RequestInit) => {
    const path = new URL(String(url)).pathname;
    sent.add(`${init?.method} ${path.replaceAll(SAMPLE_ID, "{id}")}`);
    return new Response("{}", { status: 200, headers: { "content-type": "application/json" } });
  });
  const client = new Stripe("sk_test_1", { httpClient, maxNetworkRetries: 0, telemetry: false });

  const seen = new Set<unknown>();
  const calls: Promise<unknown>[] = [];
  const visit = (resource: unknown): void => {
    if (typeof resource !== "object" || resource === null || seen.has(resource)) return;
    seen.add(resource);
    const prototype: object = Object.getPrototypeOf(resource) ?? {};
    for (const name of Object.getOwnPropertyNames(prototype)) {
      const method: unknown = Reflect.get(prototype, name);
      if (typeof method !== "function" || name === "constructor") continue;
      const ids = Array.from({ length: Math.max(0, method.length - 2) }, () => SAMPLE_ID);
      calls.push(
        (async () => method.apply(resource, [...ids, { file: FILE }, { apiVersion: "2025-01-27" }]))(),
      );
    }
    for (const [name, nested] of Object.entries(resource)) if (!name.startsWith("_")) visit(nested);
  };
  for (const [name, resource] of Object.entries(client)) if (!name.startsWith("_")) visit(resource);
  await Promise.allSettled(calls);
  return sent;
}

/** The entry for a call, unless it takes a word of the call for an id: `create_preview` is no invoice. */
const found = (vendor: Vendor, call: string): Endpoint | null => {
  const [method = "", path = ""] = call.split(" ");
  const entry = endpointOf(
    vendor,
    method === "ANY" ? "POST" : method,
    path.replaceAll("{id}", SAMPLE_ID).replace("/**", `/${SAMPLE_ID}`),
  );
  const words = path.split("/");
  const mistaken = entry?.path
    .split("/")
    .some((part, index) => part.startsWith("{") && words[index] !== "{id}");
  return mistaken === true ? null : entry;
};

/** A vendor that knows these entries alone. */
const only = (entries: readonly string[]): Vendor => ({
  ...stripe,
  catalog: entries.map((entry) => {
    const [method = "", path = ""] = entry.split(" ");
    return { method, path, rule: { kind: "denied", reason: "" } };
  }),
});

const denied = DENIED.flatMap(({ endpoints }) => endpoints);
const reads = [...READS, ...ACCOUNT_READS].map((path) => `GET ${path}`);
const writes = FREE_WRITES.map((write) => write.endpoint);

/** Entries that no installed version has: retired, or kept out of the SDK. Whoever knows them could still call them. */
const UNLISTED: Readonly<Record<string, readonly string[]>> = {
  "retired, and answered for old accounts": [
    "ANY /v1/bitcoin/**",
    "ANY /v1/charges/{id}/dispute",
    "ANY /v1/charges/{id}/dispute/**",
    "POST /v1/charges/{id}/refund",
    "ANY /v1/charges/{id}/refunds",
    "ANY /v1/charges/{id}/refunds/**",
    "ANY /v1/customers/{id}/subscriptions",
    "ANY /v1/customers/{id}/subscriptions/**",
    "ANY /v1/order_returns",
    "ANY /v1/order_returns/**",
    "ANY /v1/orders",
    "ANY /v1/orders/**",
    "ANY /v1/recipients",
    "ANY /v1/recipients/**",
    "ANY /v1/skus",
    "ANY /v1/skus/**",
    "POST /v1/account",
    "POST /v1/transfers/{id}/cancel",
  ],
  "a preview, or only in other SDKs": [
    "ANY /express/**",
    "ANY /v1/capital/**",
    "ANY /v1/crypto/**",
    "ANY /v1/gift_cards",
    "ANY /v1/gift_cards/**",
    "ANY /v1/link_account_sessions",
    "ANY /v1/linked_accounts/**",
  ],
};

describe("the calls of an SDK are all found", () => {
  test.each(VERSIONS)("%s: as many as are written down", (version) => {
    const written = sources(version).reduce(
      (count, source) =>
        count + (source.match(/_makeRequest\(|[:=] stripeMethod\(|return stripeMethod\(/g) ?? []).length,
      0,
    );
    const older = version === "stripe-12" || version === "stripe-17";
    expect(endpointsOf(version).length).toBe(written - (older ? 0 : DYNAMIC));
    expect(written).toBeGreaterThan(400);
  });

  test("stripe: the same that it sends", async () => {
    expect([...(await endpointsSent())].sort()).toEqual([...new Set(endpointsOf("stripe"))].sort());
  });

  test.each(VERSIONS)("%s: the well-known ones are there", (version) => {
    expect(endpointsOf(version)).toEqual(
      expect.arrayContaining([
        "POST /v1/payment_intents",
        "POST /v1/payment_intents/{id}/confirm",
        "GET /v1/customers/search",
        "DELETE /v1/invoices/{id}",
        "POST /v1/files",
        "GET /v1/account",
        "POST /v1/test_helpers/test_clocks/{id}/advance",
        "POST /oauth/token",
      ]),
    );
  });
});

test.each(VERSIONS)("every call of %s has an entry in the catalog", (version) => {
  const missing = [...new Set(endpointsOf(version))].filter((entry) => found(stripe, entry) === null);
  expect(missing).toEqual([]);
});

test("an entry is in one list", () => {
  const all = [...denied, ...reads, ...writes];
  const twice = all.filter(
    (entry) => all.filter((other) => found(only([other]), entry) !== null).length !== 1,
  );
  expect(twice).toEqual([]);
});

test("the catalog treats every entry as its list says", () => {
  for (const entry of [...reads, ...writes]) expect(found(stripe, entry)?.rule.kind, entry).toBe("free");
  for (const { reason, endpoints } of DENIED)
    for (const entry of endpoints)
      expect(found(stripe, entry)?.rule, entry).toEqual({ kind: "denied", reason });
});

test("an entry is a call of an SDK, or one that is known to be in none", () => {
  const calls = [...new Set(VERSIONS.flatMap(endpointsOf))];
  const unknown = [...denied, ...reads, ...writes].filter((entry) => {
    const vendor = only([entry]);
    return !calls.some((call) => found(vendor, call) !== null);
  });
  expect(unknown.sort()).toEqual(Object.values(UNLISTED).flat().sort());
});

test("every reason says why, and what to do instead", () => {
  const reasons = DENIED.map(({ reason }) => reason);
  expect(new Set(reasons).size).toBe(reasons.length);
  for (const { reason, endpoints } of DENIED) {
    expect(endpoints.length, reason).toBeGreaterThan(0);
    expect(reason).toMatch(/^(?:[a-z]|PDF|Stripe )[^;\n]{30,}; [^;\n]{15,}[^.;\s]$/);
    expect(reason).not.toMatch(/not (?:supported|allowed|available)|unsafe|dangerous|forbidden/);
  }
});
