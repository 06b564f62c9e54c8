import { buildCommand } from "@stricli/core";
import type { Cli, Common } from "../../context.ts";
import { COMMON } from "../../flags.ts";
import { lines } from "../../lines.ts";
import { timeOf } from "../../output/words.ts";
import { API_KEY_ID } from "./api-key-id.ts";

export const revokeApiKey = buildCommand<Common, [string], Cli>({
  docs: {
    brief: "revoke an API key, and every key that it issued",
    fullDescription: lines(
      "Revokes an API key. It is refused from then on, and so is every vault key that",
      "it issued, from its next call. A repeat changes nothing.",
    ),
  },
  parameters: { positional: { kind: "tuple", parameters: [API_KEY_ID] }, flags: COMMON },
  async func(flags, id) {
    const apiKey = await this.api(flags).ask("DELETE", `/vault/api-keys/${id}`);
    if (flags.json === true) this.screen.json(apiKey);
    else this.screen.line(`${id} revoked ${timeOf(apiKey, "revoked_at")}`);
  },
});
