import type { Fields } from "./fields.ts";

interface Refused {
  readonly status: number;
  readonly code: string | null;
  readonly error: Fields;
  readonly path: string;
}

/** Lists that an older Keybrake does not have: a 404 there is not about an id. */
const LISTS: ReadonlySet<string> = new Set([
  "/vault/keys",
  "/vault/spend",
  "/vault/runs",
  "/vault/stops",
  "/vault/api-keys",
]);

/** The flags of fields that an error may name. */
const FLAGS: Readonly<Record<string, string>> = {
  daily_usd_cap: "--cap",
  total_usd_cap: "--total-cap",
  per_call_usd_cap: "--per-call-cap",
  allowed_endpoints: "--endpoint",
  allowed_accounts: "--account",
  allowed_currencies: "--currency",
  allowed_recipients: "--recipient",
  max_recipients: "--max-recipients",
  expires_in: "--expires",
  agent_run_label: "--label",
  stop_for: "--for",
  amount_usd: "--amount",
};

function flagOf({ field }: Fields): string | undefined {
  const flag = typeof field === "string" ? FLAGS[field] : undefined;
  return flag === undefined ? undefined : `set it with ${flag}`;
}

/** What to do after a refusal, or undefined where its message already says it. */
export function nextStepOf({ status, code, error, path }: Refused): string | undefined {
  switch (code) {
    case "api_key_invalid":
      return "set KEYBRAKE_API_KEY to the API key: `npm start` prints it, and a deployment has the output ApiKeyCommand";
    case "key_unknown":
    case "key_expired":
    case "key_revoked":
      return "set VAULT_KEY to a vault key that is active; `keybrake issue` issues one";
    case "already_issued":
      return typeof error["id"] === "string" ? `keybrake show ${error["id"]}` : undefined;
    case "invalid_request":
    case "wider_than_issuer":
      return flagOf(error);
    case "scope_missing":
      return "set KEYBRAKE_API_KEY to an API key with that scope; `keybrake api-keys create` creates one";
    case "run_stopped":
      return `\`keybrake resume ${typeof error["stop_id"] === "string" ? error["stop_id"] : "STOP"}\` lifts the stop; \`keybrake stops\` lists all`;
    case "not_found":
      return LISTS.has(path)
        ? "this Keybrake is older than this command: upgrade it"
        : "check the id: `keybrake keys`, `keybrake stops` and `keybrake api-keys list` show those that there are";
    case "nothing_unresolved":
      return `\`keybrake audit --call ${typeof error["call_id"] === "string" ? error["call_id"] : "CALL"}\` shows what became of it`;
    case "key_not_changeable":
      return "issue another key with `keybrake issue`";
    default:
      return status >= 500 ||
        code === "gateway_throttled" ||
        code === "key_changed_meanwhile" ||
        code === "call_in_flight"
        ? "run the command again in a moment"
        : undefined;
  }
}
