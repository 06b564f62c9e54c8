import { buildRouteMap } from "@stricli/core";
import type { Cli } from "../../context.ts";
import { lines } from "../../lines.ts";
import { createApiKey } from "./create.ts";
import { listApiKeys } from "./list.ts";
import { revokeApiKey } from "./revoke.ts";
import { showApiKey } from "./show.ts";

export const apiKeys = buildRouteMap<string, Cli>({
  routes: { create: createApiKey, list: listApiKeys, show: showApiKey, revoke: revokeApiKey },
  docs: {
    brief: "list, create, show and revoke API keys",
    fullDescription: lines(
      "API keys issue and revoke vault keys and read the audit log, each within its",
      "scopes and ceilings. Needs an API key with the scope admin.",
    ),
  },
});
