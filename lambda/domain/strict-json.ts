import type { Json } from "./vendor.ts";

/**
 * JSON, read so strictly that no parser can read it otherwise: of a name that stands twice one parser takes the first and
 * another the last, and some lose `__proto__`. Both are refused.
 *
 * Numbers are floats: no amount of money that a vendor is sent is read from here.
 */
export type StrictJson =
  | { readonly value: unknown }
  /** `field`: where it stands, such as `metadata.a`; null where it is about the whole text. */
  | { readonly refused: string; readonly field: string | null };

/** No body nests deeper; and the parser calls itself once for each level. */
const DEPTH_MAX = 20;

export const isJsonObject = (value: unknown): value is Json =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** Reads a text, or says what is wrong with it in words that complete "its body …". */
export function readStrictJson(bytes: Uint8Array): StrictJson {
  const text = utf8(bytes);
  if (text === null) return whole("is not UTF-8");
  if (text.startsWith("\uFEFF")) return whole("begins with a byte order mark");
  const { depth, members } = outline(text);
  if (depth > DEPTH_MAX) return whole(`is nested more than ${DEPTH_MAX} levels deep`);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return whole("is not JSON, or has text after the value");
  }
  // Of a name that is repeated one value is left. In valid JSON every colon outside of a string is a member: one that is
  // missing here was such a name.
  const names = { count: 0, proto: false };
  countNames(value, names);
  if (names.count !== members) return { refused: "names a field twice", field: repeatedName(text) };
  if (names.proto) return { refused: 'names "__proto__"', field: pathOfName(value, "__proto__") };
  return { value };
}

const whole = (refused: string): StrictJson => ({ refused, field: null });

/** How deep a text is nested, and how many colons stand outside of its strings. */
function outline(text: string): { depth: number; members: number } {
  let depth = 0;
  let deepest = 0;
  let members = 0;
  eachSign(text, (sign) => {
    if (sign === ":") members++;
    else if (sign === "{" || sign === "[") deepest = Math.max(deepest, ++depth);
    else if (sign === "}" || sign === "]") depth--;
  });
  return { depth: deepest, members };
}

/** Visits the signs outside of strings, each with where the last string before it begins and ends, quotes included. */
function eachSign(text: string, visit: (sign: string, from: number, to: number) => void): void {
  let from = 0;
  let to = 0;
  for (let at = 0; at < text.length; at++) {
    const sign = text[at] ?? "";
    if (sign === '"') {
      from = at;
      at = endOfString(text, at);
      to = at + 1;
    } else if (SIGNS.has(sign)) visit(sign, from, to);
  }
}

const SIGNS: ReadonlySet<string> = new Set(":{[}],");

/** Where the quote stands that ends the string which begins at `from`; behind the text where none does. */
function endOfString(text: string, from: number): number {
  for (let end = text.indexOf('"', from + 1); end >= 0; end = text.indexOf('"', end + 1)) {
    let before = end;
    while (text[before - 1] === "\\") before--;
    // Behind an odd number of backslashes a quote is one of the text.
    if ((end - before) % 2 === 0) return end;
  }
  return text.length;
}

/** Counts the names at every depth, without a list of them: a body may have a million values. */
function countNames(value: unknown, names: { count: number; proto: boolean }): void {
  if (Array.isArray(value)) for (const inner of value as readonly unknown[]) countNames(inner, names);
  else if (isJsonObject(value)) {
    // A list of its pairs would take longer than to read the text.
    for (const name in value) {
      names.count++;
      names.proto ||= name === "__proto__";
      const inner = value[name];
      if (typeof inner === "object") countNames(inner, names);
    }
  }
}

const below = (path: string, name: string): string => (path === "" ? name : `${path}.${name}`);

/** Where a name stands in a value. */
function pathOfName(value: unknown, wanted: string, path = ""): string | null {
  if (typeof value !== "object" || value === null) return null;
  for (const [name, inner] of Object.entries(value)) {
    if (name === wanted) return below(path, name);
    const found = pathOfName(inner, wanted, below(path, name));
    if (found !== null) return found;
  }
  return null;
}

/** The first name of a valid text that stands twice in its object, however it is escaped. */
function repeatedName(text: string): string | null {
  const open: { readonly path: string; readonly names: Set<string>; name: string; items: number }[] = [];
  let repeated: string | null = null;
  eachSign(text, (sign, from, to) => {
    const around = open.at(-1);
    if (repeated !== null) return;
    if (sign === "{" || sign === "[") {
      const path = around === undefined ? "" : below(around.path, around.name);
      open.push({ path, names: new Set(), name: "0", items: 0 });
    } else if (around === undefined) return;
    else if (sign === ":") {
      around.name = String(JSON.parse(text.slice(from, to)));
      if (around.names.has(around.name)) repeated = below(around.path, around.name);
      around.names.add(around.name);
    } else if (sign === ",") around.name = `${++around.items}`;
    else open.pop();
  });
  return repeated;
}

/** Where the first text or name stands that is no sequence of characters: half of a pair of surrogates. */
export function brokenText(value: unknown, path = ""): string | null {
  if (typeof value === "string") return value.isWellFormed() ? null : path;
  if (typeof value !== "object" || value === null) return null;
  for (const [name, inner] of Object.entries(value)) {
    if (!name.isWellFormed()) return path;
    const broken = brokenText(inner, below(path, name));
    if (broken !== null) return broken;
  }
  return null;
}

const utf8 = (body: Uint8Array): string | null => {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(body);
  } catch {
    return null;
  }
};
