import { apiCommand } from "./api-command.ts";
import { isApiKeyId } from "./api-key.ts";
import { labelGroup } from "./vault-key.ts";

/** What a person may want to stop: the run with these labels (with a last `*`: all that begin so), or one key. */
export type StopTarget =
  | { readonly kind: "run"; readonly label: string }
  | { readonly kind: "key"; readonly keyId: string }
  | { readonly kind: "criteria"; readonly criteria: Readonly<Record<string, string | true>> };

/**
 * The run that a label belongs to: its label group, with what separates it from the rest, so that no other run is meant
 * whose name only begins alike. A label without a group is a run of its own.
 */
export function runOf(label: string): string {
  const group = labelGroup(label);
  return group === null || group === label ? label : `${label.slice(0, group.length + 1)}*`;
}

/** What stops whoever works with this key: its run, since that may issue itself another one; without a label the key alone. */
export const stopTargetOf = (keyId: string, label: string | null): StopTarget =>
  label === null ? { kind: "key", keyId } : { kind: "run", label: runOf(label) };

/** What a stop is for, by what its row says of it. */
export function sameStop(said: Readonly<Record<string, string>>): StopTarget {
  const named = ["agent_run_label", "vendor", "parent_id", "api_key_id"].flatMap((name) =>
    said[name] === undefined ? [] : [[name, said[name]] as const],
  );
  return { kind: "criteria", criteria: named.length === 0 ? { all: true } : Object.fromEntries(named) };
}

/** A command for a POSIX shell that stops it, to be copied as it is. */
export function stopCommand(baseUrl: string, target: StopTarget): string {
  const request = (path: string, body: object | null) => apiCommand(baseUrl, "POST", path, body);
  if (target.kind === "run") return request("/vault/stops", { agent_run_label: target.label });
  if (target.kind === "criteria") return request("/vault/stops", target.criteria);
  return isApiKeyId(target.keyId)
    ? request("/vault/stops", { api_key_id: target.keyId })
    : request(`/vault/keys/${target.keyId}/revoke`, null);
}
