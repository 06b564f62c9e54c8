import { describe, expect, test } from "vitest";
import { labelMatchOf } from "../../lambda/domain/label-match.ts";
import { isInForce, matchesKey, type Stop, type StopMatcher, stopFor } from "../../lambda/domain/stop.ts";
import { listsFor } from "../../lambda/domain/stop-lists.ts";

/** Guarantees which keys a stop is for, that the lists which are read for it have all of them, and how long it holds. */

const NOBODY: StopMatcher = {
  label: null,
  vendor: null,
  parentId: null,
  apiKeyId: null,
  vendors: null,
  credentials: null,
};
const KEY = {
  keyId: "key_3",
  vendor: "stripe",
  credential: "live",
  label: "modal-billing/größe/1",
  issuerId: "key_2",
  chain: ["ak_1", "key_1", "key_2", "key_3"],
};
const label = (text: string): Partial<StopMatcher> => ({ label: labelMatchOf(text) });

describe("a stop is for a key", () => {
  test.each<[string, Partial<StopMatcher>, Partial<typeof KEY> | { label: null }, boolean]>([
    ["for all", {}, {}, true],
    ["by its label", label("modal-billing/größe/1"), {}, true],
    ["by another label", label("modal-billing/größe/2"), {}, false],
    ["by a shorter label", label("modal-billing/größe"), {}, false],
    ["by a beginning", label("modal-billing/gr*"), {}, true],
    ["by the whole label as a beginning", label("modal-billing/größe/1*"), {}, true],
    ["by a longer beginning", label("modal-billing/größe/12*"), {}, false],
    ["by a beginning in other letters", label("Modal*"), {}, false],
    ["by a decomposed spelling", label("modal-billing/gro\u0308ße/1"), {}, false],
    ["by a label, where it has none", label("modal*"), { label: null }, false],
    ["by its vendor", { vendor: "stripe" }, {}, true],
    ["by another vendor", { vendor: "twilio" }, {}, false],
    ["by the key above it", { parentId: "key_2" }, {}, true],
    ["by the topmost key", { parentId: "key_1" }, {}, true],
    ["by itself", { parentId: "key_3" }, {}, false],
    ["by a key beside it", { parentId: "key_4" }, {}, false],
    ["by the API key far above it", { apiKeyId: "ak_1" }, {}, true],
    ["by the API key that issued it", { apiKeyId: "ak_2" }, { issuerId: "ak_2", chain: ["key_3"] }, true],
    ["by another API key", { apiKeyId: "ak_2" }, {}, false],
    ["by label and vendor", { ...label("modal*"), vendor: "stripe" }, {}, true],
    ["by its label and another vendor", { ...label("modal*"), vendor: "resend" }, {}, false],
    ["within the vendors of an API key", { vendors: ["stripe"] }, {}, true],
    ["beyond the vendors of an API key", { vendors: ["twilio"] }, {}, false],
    ["beyond the credentials of an API key", { credentials: ["test"] }, {}, false],
  ])("%s", (_, matcher, change, expected) => {
    expect(matchesKey({ ...NOBODY, ...matcher }, { ...KEY, ...change })).toBe(expected);
  });
});

describe("what is read for a stop", () => {
  const VENDORS = ["stripe", "twilio", "resend"];
  const ofVendors = (...names: readonly string[]) => names.map((vendor) => ({ kind: "vendor", vendor }));

  test.each<[string, Partial<StopMatcher>, readonly object[]]>([
    ["a whole label", label("modal-billing/1"), [{ kind: "label_group", group: "modal-billing" }]],
    ["a label that is its own group", label("nightly"), [{ kind: "label_group", group: "nightly" }]],
    ["a beginning with its group", label("run:2026*"), [{ kind: "label_group", group: "run" }]],
    ["a beginning inside a group", label("run*"), ofVendors(...VENDORS)],
    ["a label without a group", label("/1"), ofVendors(...VENDORS)],
    ["a vendor", { vendor: "twilio" }, ofVendors("twilio")],
    [
      "a group, whatever the vendor",
      { ...label("a/1"), vendor: "twilio" },
      [{ kind: "label_group", group: "a" }],
    ],
    ["all", {}, ofVendors(...VENDORS)],
    ["all that an API key reaches", { vendors: ["resend"] }, ofVendors("resend")],
  ])("of %s", (_, matcher, lists) => {
    expect(listsFor({ ...NOBODY, ...matcher }, VENDORS)).toEqual(lists);
  });
});

describe("a stop holds", () => {
  const stop = (id: string, untilMs: number, matcher: Partial<StopMatcher> = {}): Stop => ({
    id,
    matcher: { ...NOBODY, ...matcher },
    reason: null,
    by: "admin",
    atMs: 0,
    untilMs,
  });

  test("until its time and not at it", () => {
    expect([isInForce(stop("stop_1", 10), 9), isInForce(stop("stop_1", 10), 10)]).toEqual([true, false]);
  });

  test("and of several the one that holds longest is told", () => {
    const stops = [
      stop("stop_1", 10),
      stop("stop_2", 30),
      stop("stop_3", 20),
      stop("stop_4", 40, label("x")),
    ];
    expect(stopFor(stops, KEY, 5)?.id).toBe("stop_2");
    expect(stopFor(stops, KEY, 30)).toBeNull();
  });
});
