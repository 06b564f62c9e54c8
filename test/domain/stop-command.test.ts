import { execFileSync } from "node:child_process";
import { expect, test } from "vitest";
import { runOf, stopCommand, stopTargetOf } from "../../lambda/domain/stop-command.ts";

/** Guarantees that the command in an event can be pasted as it is, and stops the run and no other. */

test.each([
  ["modal-billing/cus_1", "modal-billing/*"],
  ["metaflow:1795:step", "metaflow:*"],
  ["nightly", "nightly"],
  ["/odd", "/odd"],
  ["a/", "a/*"],
])("the run of the label %s is %s", (label, run) => {
  expect(runOf(label)).toBe(run);
});

/** The words that a shell makes of a command. */
const wordsOf = (command: string): string[] =>
  execFileSync("sh", ["-c", `curl() { printf '%s\\0' "$@"; }; ${command}`], {
    env: { KEYBRAKE_API_KEY: "kb_secret" },
    encoding: "utf8",
  })
    .split("\0")
    .slice(0, -1);

test.each(["it's/$(id)", 'a "b"/c', "ünï `x`/y", "back\\slash/!", "two\nlines/z"])(
  "a shell makes one word of what stops the label %j",
  (label) => {
    const words = wordsOf(stopCommand("https://h/prod", stopTargetOf("key_1", label)));
    expect(words.slice(0, 4)).toEqual(["-sS", "-X", "POST", "https://h/prod/vault/stops"]);
    expect(words[5]).toBe("Authorization: Bearer kb_secret");
    expect(JSON.parse(words.at(-1) ?? "")).toEqual({ agent_run_label: runOf(label) });
  },
);

test("a key without a label is revoked, and an API key's keys are stopped", () => {
  expect(wordsOf(stopCommand("https://h", stopTargetOf("key_1", null)))[3]).toBe(
    "https://h/vault/keys/key_1/revoke",
  );
  expect(wordsOf(stopCommand("https://h", stopTargetOf("ak_1", null))).at(-1)).toBe('{"api_key_id":"ak_1"}');
});
