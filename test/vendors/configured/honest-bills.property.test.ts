import fc from "fast-check";
import { expect, test } from "vitest";
import { proxyCall } from "../../../lambda/app/proxy/proxy-call.ts";
import { microUsd } from "../../../lambda/domain/money.ts";
import { makeVaultKey } from "../../../lambda/domain/vault-key.ts";
import type { OutboundRequest, VendorReply } from "../../../lambda/ports/vendor-http.ts";
import { parseDefinitions } from "../../../lambda/vendors/configured/definition.ts";
import { vendorRegistry } from "../../../lambda/vendors/index.ts";
import { MemoryAuditLog } from "../../support/memory-audit.ts";
import { MemoryVault } from "../../support/memory-vault.ts";
import { DEFAULT_RATE_CARD } from "../../support/rate-card.ts";
import { balanceOf, HOUR_MS, policyOf, START_MS } from "../../support/vault-facts.ts";
import { definitionWith, RULES } from "./harness.ts";

/**
 * A server that is honest about its definition: it bills what it runs, at most what was reserved unless it says otherwise, and
 * runs nothing again under an idempotency key that it has not forgotten. Its answers may get lost, and some say little.
 */

const DEFINITION = definitionWith(
  {
    "POST /prints": {
      price: { usd: 1, times: { json: "n", max: 5 } },
      object_id: "id",
      idempotent: true,
    },
    "POST /letters": {
      price: { answer: { field: "cost", unit: "dollars", max_usd: 5 } },
      object_id: "id",
      idempotent: true,
    },
    "POST /searches": 1,
  },
  { idempotency: { hours: 24 } },
);
const PATHS = ["prints", "letters", "searches"] as const;
const CAP = microUsd(1_000_000_000n);

/** What becomes of one request. Those that `run` are billed. */
const FATES = [
  "answered",
  "answered dearer",
  "unreadable",
  "lost",
  "500",
  "406",
  "404",
  "429",
  "400",
  "unreachable",
] as const;
type Fate = (typeof FATES)[number];

const json = (status: number, text: string): VendorReply => ({
  kind: "answer",
  status,
  headers: {},
  rawHeaders: [],
  body: Buffer.from(text),
});

class HonestServer {
  billed = 0;
  readonly #stored = new Map<
    string,
    { readonly atMs: number; readonly body: string; readonly reply: VendorReply }
  >();
  #made = 0;

  answer({ target, headers, body }: OutboundRequest, fate: Fate, price: number, nowMs: number): VendorReply {
    if (fate === "unreachable") return { kind: "unreachable", cause: null };
    const key = target === "/searches" ? undefined : headers["idempotency-key"];
    const stored = key === undefined ? undefined : this.#stored.get(`${target} ${key}`);
    const text = Buffer.from(body).toString();
    if (stored !== undefined && nowMs - stored.atMs < 24 * HOUR_MS) {
      if (stored.body !== text) return json(422, "{}");
      return fate === "lost" ? { kind: "timeout" } : stored.reply;
    }
    if (fate === "429" || fate === "400") return json(Number(fate), "{}");

    const cost = this.#bill(target, text, fate === "answered dearer" ? price + 3 : price);
    const reply =
      fate === "unreadable"
        ? json(200, "<ok/>")
        : /^\d+$/.test(fate)
          ? json(Number(fate), "{}")
          : json(200, JSON.stringify({ id: `made_${++this.#made}`, cost }));
    if (key !== undefined) this.#stored.set(`${target} ${key}`, { atMs: nowMs, body: text, reply });
    return fate === "lost" ? { kind: "broken", cause: null } : reply;
  }

  #bill(target: string, body: string, price: number): number {
    const cost = target === "/letters" ? price : target === "/prints" ? JSON.parse(body).n : 1;
    this.billed += cost;
    return cost;
  }
}

const asked = fc.record({
  path: fc.constantFrom(...PATHS),
  key: fc.constantFrom(null, "a", "b"),
  n: fc.constantFrom(1, 5),
  price: fc.integer({ min: 0, max: 5 }),
  fate: fc.constantFrom(...FATES),
  waitMs: fc.constantFrom(1, 31_000, 22 * HOUR_MS),
});

/** Guarantees that what a key has spent or holds is never below what an honest server bills, and is that where all is told. */
test.each([
  ["whatever happens", FATES],
  ["all is told", ["answered", "answered dearer", "429", "400", "unreachable"] as const],
])("what is counted is what is billed, or more: %s", async (name, fates) => {
  await fc.assert(
    fc.asyncProperty(fc.array(asked, { minLength: 1, maxLength: 12 }), async (calls) => {
      const { keyId, secretHash, token } = makeVaultKey("k".repeat(16), "b".repeat(32));
      const vault = new MemoryVault();
      const caps = { daily: CAP, total: CAP, perCall: CAP };
      await vault.policies.create(
        policyOf(keyId, { secretHash, vendor: "example" }),
        balanceOf(keyId, { caps }),
        null,
      );
      const server = new HonestServer();
      let nowMs = START_MS;
      let ids = 0;
      for (const { path, key, n, price, fate, waitMs } of calls) {
        // What the server keeps longer than Keybrake recalls it is counted again.
        nowMs += name === "all is told" ? Math.min(waitMs, 31_000) : waitMs;
        const told = fates.find((one) => one === fate) ?? "answered";
        const result = await proxyCall(
          {
            requestId: "request",
            token,
            vendorName: "example",
            method: "POST",
            rawPath: path,
            query: {},
            headers: {
              "content-type": ["application/json"],
              ...(key !== null && { "idempotency-key": [key] }),
            },
            body: Buffer.from(JSON.stringify({ n })),
            sourceIp: null,
            startedAtMs: nowMs,
            deadlineMs: nowMs + 28_000,
          },
          {
            vendors: vendorRegistry(parseDefinitions([DEFINITION], RULES)),
            vault,
            spending: new MemoryAuditLog(),
            http: { send: async (request) => server.answer(request, told, price, nowMs) },
            credentials: { read: async () => "secret-of-the-tests", howToSet: () => "set it" },
            clock: { now: () => nowMs },
            ids: { random: (length) => `${++ids}`.padStart(length, "0") },
            destinationOf: (_, { path: at }) => ({ origin: "https://api.example.com", path: at }),
            rateCard: DEFAULT_RATE_CARD,
            warn: () => {},
          },
        );
        expect(result.kind === "denied" ? result.problem.code : "forwarded").toMatch(
          /^(forwarded|vendor_.*)$/,
        );
        const [balance] = await vault.balances.read([keyId]);
        const counted = Number(CAP - (balance?.leftInTotal ?? 0n)) / 1_000_000;
        if (name === "all is told") expect(counted).toBe(server.billed);
        else expect(counted).toBeGreaterThanOrEqual(server.billed);
      }
    }),
    { numRuns: 400 },
  );
});
