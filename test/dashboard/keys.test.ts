import { describe, expect, test } from "vitest";
import { changeOf, typedOf } from "../../dashboard/keys/change.ts";
import { bodyOf, EMPTY } from "../../dashboard/keys/issue.ts";
import { snippetsFor } from "../../dashboard/keys/snippets.ts";
import { isNearItsCap } from "../../dashboard/overview/near-cap.ts";
import { targetsOfKey } from "../../dashboard/stops/targets.ts";
import { VENDOR_PAGES, vendorRegistry } from "../../lambda/vendors/index.ts";

/** Guarantees that forms send what was typed, and nothing that was not. */

describe("a change of a key", () => {
  const KEY = { daily_usd_cap: 50, total_usd_cap: null, per_call_usd_cap: 0.5 };

  test("that changes nothing sends nothing", () => {
    expect(changeOf(KEY, typedOf(KEY))).toEqual({});
  });

  test.each([
    [{ daily_usd_cap: "60" }, { daily_usd_cap: "60" }],
    [{ daily_usd_cap: " 50.00 " }, {}],
    [{ daily_usd_cap: "" }, { daily_usd_cap: null }],
    [{ total_usd_cap: "0.000001" }, { total_usd_cap: "0.000001" }],
    [
      { per_call_usd_cap: "", total_usd_cap: "5" },
      { per_call_usd_cap: null, total_usd_cap: "5" },
    ],
    [{ expires_in: " 4h " }, { expires_in: "4h" }],
    [{ daily_usd_cap: "fifty" }, { daily_usd_cap: "fifty" }],
  ])("typed as %j sends %j", (typed, sent) => {
    expect(changeOf(KEY, { ...typedOf(KEY), ...typed })).toEqual(sent);
  });
});

describe("a new key", () => {
  test("has what was filled in, amounts as text", () => {
    const fields = {
      ...EMPTY,
      vendor: "stripe",
      label: " m/1 ",
      daily: "0.000001",
      endpoints: "POST /a\n\n GET /b ",
    };
    expect(bodyOf(fields)).toEqual({
      vendor: "stripe",
      agent_run_label: "m/1",
      daily_usd_cap: "0.000001",
      allowed_endpoints: ["POST /a", "GET /b"],
    });
  });

  test("without endpoints may call what its vendor has", () => {
    expect(bodyOf({ ...EMPTY, vendor: "stripe" })).toEqual({ vendor: "stripe" });
  });

  const ISSUED = { vault_key: "kbvkSECRET", base_url: "https://keys.example.com/prod/v" };

  test.each(vendorRegistry().all.map((vendor) => [vendor.name, vendor] as const))(
    "of %s has programs with the key and the address in them, and an endpoint of its catalog",
    (_, vendor) => {
      const snippets = snippetsFor(VENDOR_PAGES[vendor.name] ?? null, ISSUED);
      expect(snippets.map(({ name }) => name)).toEqual(["Python", "Node", "curl"]);
      for (const { text } of snippets) {
        expect(text).toContain(ISSUED.vault_key);
        expect(text).toContain(ISSUED.base_url);
        expect(text).not.toMatch(/\{key\}|\{url\}/);
      }
      const [method, path = ""] = (VENDOR_PAGES[vendor.name]?.endpoint ?? "").split(" ");
      const priced = vendor.catalog.filter(
        (entry) => entry.method === method && entry.rule.kind === "priced",
      );
      expect(priced.map((entry) => entry.path.replace(/\{[^}]*\}/g, "*"))).toContain(path);
    },
  );

  test("of a vendor of which nothing is known has a call by curl", () => {
    expect(snippetsFor(null, ISSUED)).toEqual([
      {
        name: "curl",
        text: 'curl -s https://keys.example.com/prod/v/… -H "Authorization: Bearer kbvkSECRET"',
      },
    ]);
  });
});

describe("a key is near its cap", () => {
  const cap = (usd_cap: number, remaining_usd: number) => ({ usd_cap, remaining_usd });
  test.each([
    [{}, false],
    [{ daily: cap(50, 50) }, false],
    [{ daily: cap(50, 10.01) }, false],
    [{ daily: cap(50, 10) }, true],
    [{ daily: cap(50, -5) }, true],
    [{ daily: cap(50, 50), total: cap(100, 1) }, true],
  ])("with %j: %s", (caps, isNear) => {
    expect(isNearItsCap({ caps })).toBe(isNear);
  });
});

describe("the run of a key", () => {
  const key = { id: "key_1", agent_run_label: "m/1", vendor: "stripe", issuer_id: "admin", parent_id: null };
  const bodies = (of: typeof key | object) => targetsOfKey({ ...key, ...of }).map(({ body }) => body);

  test("is its label, its group, what is below it, and everything", () => {
    expect(bodies({})).toEqual([
      { agent_run_label: "m/1" },
      { agent_run_label: "m/*" },
      { parent_id: "key_1" },
      { all: true },
    ]);
  });

  test("without a label is what is below it", () => {
    expect(bodies({ agent_run_label: null })).toEqual([{ parent_id: "key_1" }, { all: true }]);
  });

  test("of an API key is also all that this one issued", () => {
    expect(bodies({ agent_run_label: "a:b/c", issuer_id: "ak_1" })).toEqual([
      { agent_run_label: "a:b/c" },
      { agent_run_label: "a:*" },
      { parent_id: "key_1" },
      { api_key_id: "ak_1" },
      { all: true },
    ]);
  });

  test("that a vault key issued is not that vault key's API key", () => {
    expect(bodies({ issuer_id: "key_0", parent_id: "key_0" })).not.toContainEqual({ api_key_id: "key_0" });
  });
});
