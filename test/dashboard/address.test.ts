import { describe, expect, test } from "vitest";
import { codeIn, credentialsOf } from "../../dashboard/login/code.ts";
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

describe("what somebody signs in with", () => {
  const CODE = "GtRZyeyVO6Nzo468ll2fbf4VfNXOkltX";
  test.each([
    [
      " kbakEa9YiTX6Vm5kHb0UVmFzglgjefNpFEl2hODhWZXx6cJTR6rcrrcpom\n",
      [{ api_key: "kbakEa9YiTX6Vm5kHb0UVmFzglgjefNpFEl2hODhWZXx6cJTR6rcrrcpom" }],
    ],
    ["a-secret-of-my-own", [{ api_key: "a-secret-of-my-own" }]],
    [CODE, [{ code: CODE }, { api_key: CODE }]],
    [`http://127.0.0.1:8787/dashboard#code=${CODE}`, [{ code: CODE }]],
    [
      "http://127.0.0.1:8787/dashboard#code=short",
      [{ api_key: "http://127.0.0.1:8787/dashboard#code=short" }],
    ],
  ])("%j is tried as %j", (typed, credentials) => {
    expect(credentialsOf(typed)).toEqual(credentials);
  });

  test.each([
    [`#code=${CODE}`, CODE],
    ["#code=", null],
    [`#code=${CODE}x`, null],
    ["#overview", null],
    ["", null],
  ])("the address %j has the code %j", (hash, code) => {
    expect(codeIn(hash)).toBe(code);
  });
});
