import { invalidRequest } from "./errors.ts";

/** A parameter of a form: text, or what stood in brackets after its name. Arrays are hashes with the keys 0, 1, 2. */
export type FormValue = string | FormHash;

export interface FormHash extends ReadonlyMap<string, FormValue> {}

interface MutableHash extends Map<string, string | MutableHash> {}

/**
 * Reads an urlencoded form or query as Stripe's v1 does: `a[b]=c` nests, `a[0]=` and `a[]=` are lists, and of two
 * values for one name the last wins (Rack's rule, from memory). `earlier` is a form whose values this one overrides:
 * the query of a POST, since Stripe reads both.
 *
 * Throws a 400 on bad percent-encoding, on brackets that do not close, and on a name that is both text and hash.
 */
export function parseForm(text: string, earlier?: FormHash): FormHash {
  const form: MutableHash = copyOf(earlier);
  for (const pair of text.split("&")) {
    if (pair === "") continue;
    const equals = pair.indexOf("=");
    const name = decode(equals === -1 ? pair : pair.slice(0, equals));
    set(form, name, equals === -1 ? "" : decode(pair.slice(equals + 1)));
  }
  return form;
}

/** The items of a list parameter in the order of their indexes. */
export function itemsOf(list: FormHash): FormValue[] {
  return [...list].toSorted(([a], [b]) => Number(a) - Number(b)).map(([, item]) => item);
}

/** The same text for the same parameters, in whatever order and encoding they were sent. */
export function canonicalForm(value: FormValue): string {
  if (typeof value === "string") return JSON.stringify(value);
  const entries = [...value].toSorted(([a], [b]) => (a < b ? -1 : 1));
  return `{${entries.map(([name, item]) => `${JSON.stringify(name)}:${canonicalForm(item)}`).join()}}`;
}

function set(form: MutableHash, name: string, value: string): void {
  const keys = keysOf(name);
  const last = keys.pop();
  if (last === undefined) throw invalidRequest(`Invalid parameter name: ${name}`, { param: name });

  let hash = form;
  for (const key of keys) hash = openHash(hash, key === "" ? String(hash.size) : key, name);
  const key = last === "" ? String(hash.size) : last;
  if (typeof (hash.get(key) ?? "") !== "string") throw mixedTypes(name);
  hash.set(key, value);
}

function openHash(parent: MutableHash, key: string, name: string): MutableHash {
  const found = parent.get(key);
  if (typeof found === "string") throw mixedTypes(name);
  if (found !== undefined) return found;

  const opened: MutableHash = new Map();
  parent.set(key, opened);
  return opened;
}

/** `a[b][]` is a, b and the empty key; a name that does not read so has no keys. */
function keysOf(name: string): string[] {
  if (!name.includes("[")) return name.includes("]") ? [] : [name];
  const match = /^([^[\]]+)((?:\[[^[\]]*\])+)$/.exec(name);
  const [, first, brackets] = match ?? [];
  if (first === undefined || brackets === undefined) return [];
  return [first, ...brackets.slice(1, -1).split("][")];
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll("+", " "));
  } catch (cause) {
    const error = invalidRequest("Invalid request: a parameter is not valid percent-encoded UTF-8.");
    error.cause = cause;
    throw error;
  }
}

function copyOf(hash: FormHash | undefined): MutableHash {
  const copy: MutableHash = new Map();
  for (const [name, value] of hash ?? []) copy.set(name, typeof value === "string" ? value : copyOf(value));
  return copy;
}

function mixedTypes(name: string) {
  return invalidRequest(`Invalid request: ${name} is given both as a value and as a hash.`, { param: name });
}
