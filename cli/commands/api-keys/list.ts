import { buildCommand } from "@stricli/core";
import type { Cli, Common } from "../../context.ts";
import { COMMON } from "../../flags.ts";
import { apiKeyColumns } from "../../output/api-key.ts";
import { LIST_FLAGS, type ListFlags, showList } from "../list.ts";

interface Flags extends Common, ListFlags {}

export const listApiKeys = buildCommand<Flags, [], Cli>({
  docs: { brief: "list API keys, newest first" },
  parameters: { flags: { ...LIST_FLAGS, ...COMMON } },
  async func(flags) {
    await showList(this, flags, {
      path: "/vault/api-keys",
      query: {},
      columns: apiKeyColumns,
      nothing: "no API keys but the admin's: `keybrake api-keys create` creates one",
    });
  },
});
