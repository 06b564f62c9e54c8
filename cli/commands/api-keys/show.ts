import { buildCommand } from "@stricli/core";
import type { Cli, Common } from "../../context.ts";
import { COMMON } from "../../flags.ts";
import { apiKeyFields } from "../../output/api-key.ts";
import { API_KEY_ID } from "./api-key-id.ts";

export const showApiKey = buildCommand<Common, [string], Cli>({
  docs: { brief: "show an API key: what it may do and what its keys have spent" },
  parameters: { positional: { kind: "tuple", parameters: [API_KEY_ID] }, flags: COMMON },
  async func(flags, id) {
    const apiKey = await this.api(flags).ask("GET", `/vault/api-keys/${id}`);
    if (flags.json === true) this.screen.json(apiKey);
    else this.screen.fields(apiKeyFields(apiKey));
  },
});
