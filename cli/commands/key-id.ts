import type { Api } from "../api/client.ts";
import type { Cli, Common } from "../context.ts";

/** The word for the vault key in VAULT_KEY. */
const SELF = "self";

/** An id, or what was pasted in its place: a secret is refused before it is sent or shown. */
function idOf(input: string): string {
  if (input === SELF || /^key_[A-Za-z0-9]+$/.test(input)) return input;
  throw new RangeError(
    "expected the id of a key, key_…, or self for the vault key in VAULT_KEY; a secret belongs in a variable and never in arguments",
  );
}

export const KEY_ID = { parse: idOf, brief: "id of the key, or self", placeholder: "KEY" } as const;

/** Who asks about a key, and below which path. */
export function keyAt(cli: Cli, flags: Common, id: string): { readonly api: Api; readonly path: string } {
  return { api: id === SELF ? cli.ownApi(flags) : cli.api(flags), path: `/vault/keys/${id}` };
}
