import { describe, expect, test } from "vitest";
import { hashOf, placeOf } from "../../dashboard/page/address.ts";

/** Guarantees that a link to what somebody sees shows another person the same. */

describe("an address", () => {
  test.each([
    ["", "overview", {}],
    ["#", "overview", {}],
    ["#overview", "overview", {}],
    ["#keys", "keys", {}],
    ["#audit?vendor=stripe&state=denied", "audit", { vendor: "stripe", state: "denied" }],
    ["#audit?agent_run_label=a%26b%3Dc%2F*", "audit", { agent_run_label: "a&b=c/*" }],
    ["#audit?agent_run_label=what%3F%23", "audit", { agent_run_label: "what?#" }],
    ["#audit?vendor=", "audit", {}],
    ["#spend?group_by=vendor", "spend", { group_by: "vendor" }],
    ["#nowhere?vendor=stripe", "overview", {}],
    ["#constructor", "overview", {}],
    ["#code=abcdefgh12345678", "overview", {}],
  ])("%j leads to %s with %j", (hash, view, filters) => {
    expect(placeOf(hash)).toEqual({ view, filters });
  });

  test.each([
    [{}, "#audit"],
    [{ vendor: "", state: undefined }, "#audit"],
    [{ vendor: "stripe" }, "#audit?vendor=stripe"],
    [{ agent_run_label: "a&b=c/*" }, "#audit?agent_run_label=a%26b%3Dc%2F*"],
  ])("of the audit log with %j is %s", (filters, hash) => {
    expect(hashOf("audit", filters)).toBe(hash);
  });

  test.each(["modal-billing/*", "a b+c", "100%", "ü/日本", "x#y?z=1&w=2"])("keeps the label %j", (label) => {
    expect(placeOf(hashOf("audit", { agent_run_label: label })).filters).toEqual({ agent_run_label: label });
  });
});
