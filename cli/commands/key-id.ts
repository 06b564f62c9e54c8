import type { Api } from "../api/client.ts";
import type { Cli, Common } from "../context.ts";

/** The word for the vault key in VAULT_KEY. */
const SELF = "self";

const SECRET_HINT = "a secret belongs in a variable and never in arguments";

/** An id; what was pasted in its place is refused before it is sent or shown. */
function keyIdOf(input: string): string {
  if (/^key_[A-Za-z0-9]+$/.test(input)) return input;
  throw new RangeError(`expected the id of a key, key_…; ${SECRET_HINT}`);
}

function keyIdOrSelf(input: string): string {
  if (input === SELF || /^key_[A-Za-z0-9]+$/.test(input)) return input;
  throw new RangeError(
    `expected the id of a key, key_…, or self for the vault key in VAULT_KEY; ${SECRET_HINT}`,
  );
}

/** A flag with the id of a key. */
export const keyIdFlag = (brief: string) =>
  ({ kind: "parsed", parse: keyIdOf, optional: true, brief, placeholder: "KEY" }) as const;

export const KEY_ID = { parse: keyIdOrSelf, brief: "id of the key, or self", placeholder: "KEY" } as const;

/** Who asks about a key, and below which path. */
export function keyAt(cli: Cli, flags: Common, id: string): { readonly api: Api; readonly path: string } {
  return { api: id === SELF ? cli.ownApi(flags) : cli.api(flags), path: `/vault/keys/${id}` };
}
