import { buildCommand } from "@stricli/core";
import type { Cli, Common } from "../../context.ts";
import { COMMON, switchFlag, textFlag, textsFlag, usdFlag } from "../../flags.ts";
import { lines } from "../../lines.ts";
import { apiKeyFields } from "../../output/api-key.ts";

const SCOPES = ["issue", "read", "revoke", "admin"] as const;

interface Flags extends Common {
  readonly name: string;
  readonly scope: readonly (typeof SCOPES)[number][];
  readonly vendor?: readonly string[];
  readonly credential?: readonly string[];
  readonly endpoint?: readonly string[];
  readonly maxCap?: string;
  readonly maxTotalCap?: string;
  readonly maxPerCallCap?: string;
  readonly maxExpires?: string;
  readonly cap?: string;
  readonly totalCap?: string;
  readonly keyOnly?: boolean;
}

export const createApiKey = buildCommand<Flags, [], Cli>({
  docs: {
    brief: "create an API key",
    fullDescription: lines(
      "Creates an API key and prints its secret, once. With --key-only the secret",
      "alone is on stdout.",
      "  keybrake api-keys create --name nightly --scope issue --scope read --max-cap 50",
    ),
  },
  parameters: {
    flags: {
      name: { kind: "parsed", parse: String, brief: "what it is for", placeholder: "NAME" },
      scope: { kind: "enum", values: SCOPES, variadic: true, brief: "what it may do; repeatable" },
      vendor: textsFlag("only keys of this vendor; repeatable", "VENDOR"),
      credential: textsFlag("only keys of this credential; repeatable", "NAME"),
      endpoint: textsFlag("at most this for a key it issues; repeatable", "ENDPOINT"),
      maxCap: usdFlag("highest daily cap of a key it issues"),
      maxTotalCap: usdFlag("highest total cap of a key it issues"),
      maxPerCallCap: usdFlag("highest cap of one call of a key it issues"),
      maxExpires: textFlag("longest life of a key it issues, such as 4h", "SPAN"),
      cap: usdFlag("most that all its keys may spend in a UTC day"),
      totalCap: usdFlag("most that all its keys may ever spend"),
      keyOnly: switchFlag("print the secret alone; the rest goes to stderr"),
      ...COMMON,
    },
  },
  async func(flags) {
    const { screen } = this;
    const wanted = {
      name: flags.name,
      scopes: flags.scope,
      allowed_vendors: flags.vendor,
      allowed_credentials: flags.credential,
      allowed_endpoints: flags.endpoint,
      max_daily_usd_cap: flags.maxCap,
      max_total_usd_cap: flags.maxTotalCap,
      max_per_call_usd_cap: flags.maxPerCallCap,
      max_expires_in: flags.maxExpires,
      daily_usd_cap: flags.cap,
      total_usd_cap: flags.totalCap,
    };
    const body = Object.fromEntries(Object.entries(wanted).filter(([, value]) => value !== undefined));
    const created = await this.api(flags).ask("POST", "/vault/api-keys", { body });
    const { api_key: secret, ...shown } = created;
    if (flags.keyOnly === true) {
      screen.line(String(secret));
      screen.note(`created ${String(created["id"])}`);
    } else if (flags.json === true) screen.json(created);
    else {
      screen.fields([["API key", String(secret), "good"], ...apiKeyFields(shown)]);
      screen.note("\nKeep the API key: it is not shown again.");
    }
  },
});
