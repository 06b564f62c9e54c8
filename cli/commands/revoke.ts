import { buildCommand } from "@stricli/core";
import type { Fields } from "../api/fields.ts";
import type { Cli, Common } from "../context.ts";
import { COMMON } from "../flags.ts";
import { lines } from "../lines.ts";
import { dollarsOf, timeOf } from "../output/words.ts";
import { KEY_ID, keyAt } from "./key-id.ts";

export const revoke = buildCommand<Common, string[], Cli>({
  docs: {
    brief: "revoke keys: their next call is refused",
    fullDescription: lines(
      "Revokes keys one after another; a repeat changes nothing. Calls that are",
      "already at the vendor go on. `keybrake revoke self` revokes the vault key in",
      "VAULT_KEY. To stop a run that issues new keys, use `keybrake stop`.",
    ),
  },
  parameters: { positional: { kind: "array", parameter: KEY_ID, minimum: 1 }, flags: COMMON },
  async func(flags, ...ids) {
    const { screen } = this;
    const revoked: Fields[] = [];
    for (const [at, id] of ids.entries()) {
      screen.progress(`revoking ${at + 1} of ${ids.length}`);
      const { api, path } = keyAt(this, flags, id);
      const key = await api.ask("POST", `${path}/revoke`);
      revoked.push(key);
      screen.progressDone();
      if (!flags.json)
        screen.line(
          `${String(key["id"])} revoked ${timeOf(key, "revoked_at")}, ${dollarsOf(key, "spent_usd")} spent`,
        );
    }
    if (flags.json) screen.json(ids.length === 1 ? revoked[0] : { data: revoked, next_cursor: null });
  },
});
