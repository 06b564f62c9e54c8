import { buildCommand } from "@stricli/core";
import type { Cli, Common } from "../context.ts";
import { COMMON, switchFlag, textFlag, VENDOR } from "../flags.ts";
import { lines } from "../lines.ts";
import { keyFields } from "../output/key.ts";
import { KEY_FLAGS, type KeyFlags, keyBody } from "./key-flags.ts";

interface Flags extends Common, KeyFlags {
  readonly vendor?: string;
  readonly child?: boolean;
  readonly observe?: boolean;
  readonly idempotencyKey?: string;
  readonly keyOnly?: boolean;
}

export const issue = buildCommand<Flags, [], Cli>({
  docs: {
    brief: "issue a vault key",
    fullDescription: lines(
      "Issues a vault key and prints its secret, once. With --key-only the secret",
      "alone is on stdout, for a variable:",
      "  export VAULT_KEY=$(keybrake issue --vendor VENDOR --cap 50 --key-only)",
    ),
  },
  parameters: {
    flags: {
      vendor: VENDOR,
      ...KEY_FLAGS,
      child: switchFlag("issue a narrower key below the one in VAULT_KEY"),
      observe: switchFlag("let calls through that a cap would refuse, and record them"),
      idempotencyKey: textFlag("a repeat with it issues no second key", "KEY"),
      keyOnly: switchFlag("print the secret alone; the rest goes to stderr"),
      ...COMMON,
    },
  },
  async func(flags) {
    const { screen } = this;
    const api = flags.child ? this.ownApi(flags) : this.api(flags);
    const body = { ...keyBody(flags.vendor, flags), ...(flags.observe === true && { mode: "observe" }) };
    const headers = flags.idempotencyKey === undefined ? {} : { "Idempotency-Key": flags.idempotencyKey };
    const key = await api.ask("POST", "/vault/keys", { body, headers });
    const { vault_key: secret, ...shown } = key;
    if (flags.keyOnly) {
      screen.line(String(secret));
      screen.note(`issued ${String(key["id"])}; \`keybrake show ${String(key["id"])}\` shows what it may do`);
    } else if (flags.json) screen.json(key);
    else {
      screen.fields([["vault key", String(secret), "good"], ...keyFields(shown, this.nowMs())]);
      screen.note("\nKeep the vault key: it is not shown again.");
    }
  },
});
