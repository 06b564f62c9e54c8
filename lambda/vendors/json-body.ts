import type { Problem } from "../domain/denial.ts";
import type { Json, VendorRequest } from "../domain/vendor.ts";
import { ambiguous } from "./form.ts";

/**
 * A JSON body, read so strictly that no parser can read it otherwise.
 *
 * Parsers differ on repeated names, on what stands before or behind the value, on a body that comes compressed or with
 * parameters in the URL beside it. Each of these could show one thing to us and another to the vendor, so each is refused.
 * Numbers are floats: no amount of money is read from here.
 */
export type JsonBody = { readonly value: unknown };

/** No call nests deeper; and the parser calls itself once for each level. */
const DEPTH_MAX = 20;

export const isJsonObject = (value: unknown): value is Json =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** Reads the body of a request that must have one. */
export function readJson(request: VendorRequest): JsonBody | Problem {
  if (Object.keys(request.query).length > 0)
    return ambiguous("it has a query beside its body; send every parameter in the body");
  if ((request.headers["content-encoding"] ?? []).length > 0)
    return ambiguous("its body is compressed; send it as it is");
  const types = request.headers["content-type"] ?? [];
  if (types.length !== 1 || !/^application\/json(; ?charset=utf-8)?$/i.test(types[0] ?? ""))
    return ambiguous("its body is not declared JSON; send Content-Type: application/json");

  const text = utf8(request.body);
  if (text === null) return ambiguous("its body is not UTF-8");
  if (text.startsWith("\uFEFF")) return ambiguous("its body begins with a byte order mark");
  const { depth, members } = outline(text);
  if (depth > DEPTH_MAX) return ambiguous(`its body is nested more than ${DEPTH_MAX} levels deep`);
  return parsed(text, members);
}

function parsed(text: string, members: number): JsonBody | Problem {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return ambiguous("its body is not JSON, or has something behind the value");
  }
  // Of a name that is repeated one value is left. In valid JSON every colon outside of a string is a member: one that is
  // missing here was such a name.
  const names = { count: 0, proto: false };
  countNames(value, names);
  if (names.count !== members) return ambiguous("its body names a field twice");
  if (names.proto) return ambiguous('its body names "__proto__"');
  return { value };
}

/** How deep a text is nested, and how many colons stand outside of its strings. */
function outline(text: string): { depth: number; members: number } {
  let depth = 0;
  let deepest = 0;
  let members = 0;
  let quoted = false;
  for (let at = 0; at < text.length; at++) {
    const character = text[at];
    if (quoted) {
      if (character === "\\") at++;
      else if (character === '"') quoted = false;
    } else if (character === '"') quoted = true;
    else if (character === ":") members++;
    else if (character === "{" || character === "[") deepest = Math.max(deepest, ++depth);
    else if (character === "}" || character === "]") depth--;
  }
  return { depth: deepest, members };
}

/** Counts the names at every depth, without a list of them: a body may have a million values. */
function countNames(value: unknown, names: { count: number; proto: boolean }): void {
  if (Array.isArray(value)) for (const inner of value) countNames(inner, names);
  else if (isJsonObject(value)) {
    for (const [name, inner] of Object.entries(value)) {
      names.count++;
      names.proto ||= name === "__proto__";
      countNames(inner, names);
    }
  }
}

const utf8 = (body: Uint8Array): string | null => {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(body);
  } catch {
    return null;
  }
};
