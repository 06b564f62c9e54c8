import { buildCommand } from "@stricli/core";
import type { Cli, Common } from "../context.ts";
import { COMMON } from "../flags.ts";
import { lines } from "../lines.ts";
import { keyFields } from "../output/key.ts";
import { KEY_ID, keyAt } from "./key-id.ts";

export const show = buildCommand<Common, [string], Cli>({
  docs: {
    brief: "show a key: what it may do and what is left",
    fullDescription: lines(
      "Shows a key. `keybrake show self` asks with the vault key in VAULT_KEY about",
      "itself.",
    ),
  },
  parameters: { positional: { kind: "tuple", parameters: [KEY_ID] }, flags: COMMON },
  async func(flags, id) {
    const { api, path } = keyAt(this, flags, id);
    const key = await api.ask("GET", path);
    if (flags.json) this.screen.json(key);
    else this.screen.fields(keyFields(key, this.nowMs()));
  },
});
