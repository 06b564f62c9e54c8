import type { ClientVariables } from "../../lambda/domain/vendor-manifest.ts";
import { API_KEY_VARIABLE } from "../context.ts";

/** What is known of a vendor's programs; a configured vendor has the general variables only. */
export interface Client {
  readonly variables: ClientVariables;
  /** What a real credential of the vendor looks like, as a whole value. */
  readonly credentials: readonly RegExp[];
}

export interface JobKey {
  readonly id: string;
  readonly secret: string;
  readonly vendor: string;
  /** Of the vendor, such as `…/stripe`. */
  readonly vendorUrl: string;
  /** Of Keybrake. */
  readonly url: string;
}

type Variables = Readonly<Record<string, string | undefined>>;

/**
 * The environment of a job: its own, with the key and the address in it, and without what it must not hold: the API key, and
 * real secrets of the vendor under any name. `removed`: the names of those, for a note.
 */
export function jobEnvironment(
  own: Variables,
  key: JobKey,
  { variables, credentials }: Client,
): { readonly environment: Readonly<Record<string, string>>; readonly removed: readonly string[] } {
  const apiKey = own[API_KEY_VARIABLE];
  const set = variablesOf(key, variables);
  const isKept = (name: string, value: string): boolean =>
    name !== API_KEY_VARIABLE &&
    value !== apiKey &&
    !variables.removed.includes(name) &&
    !credentials.some((pattern) => pattern.test(value));
  const entries = Object.entries(own).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, value] as const],
  );
  return {
    environment: { ...Object.fromEntries(entries.filter(([name, value]) => isKept(name, value))), ...set },
    removed: entries
      .filter(([name, value]) => !isKept(name, value) && !(name in set) && name !== API_KEY_VARIABLE)
      .map(([name]) => name),
  };
}

function variablesOf(key: JobKey, { key: keyNames, baseUrl: urlNames, fixed }: ClientVariables) {
  const prefix = key.vendor.toUpperCase();
  const all = (names: readonly string[], value: string) =>
    Object.fromEntries(names.map((name) => [name, value]));
  return {
    ...all(urlNames, key.vendorUrl),
    ...all(keyNames, key.secret),
    ...fixed,
    KEYBRAKE_URL: key.url,
    KEYBRAKE_KEY_ID: key.id,
    VAULT_KEY: key.secret,
    [`${prefix}_VAULT_KEY`]: key.secret,
    [`${prefix}_BASE_URL`]: key.vendorUrl,
  };
}
