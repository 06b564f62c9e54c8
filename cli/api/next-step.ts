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
    case "run_stopped":
      return "`keybrake stops` shows what is stopped, and `keybrake resume` lifts a stop";
    case "not_found":
      return LISTS.has(path)
        ? "this Keybrake is older than this command: upgrade it"
        : "check the id: `keybrake keys`, `keybrake stops` and `keybrake api-keys list` show those that there are";
    case "key_not_changeable":
      return "issue another key with `keybrake issue`";
    default:
      return status >= 500 || code === "gateway_throttled" || code === "key_changed_meanwhile"
        ? "run the command again in a moment"
        : undefined;
  }
}
