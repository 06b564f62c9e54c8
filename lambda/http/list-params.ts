import { type LabelMatch, labelMatchOf } from "../domain/label-match.ts";
import { sha256 } from "../domain/token.ts";
import type { VendorRequest } from "../domain/vendor.ts";
import { invalid } from "./parse-body.ts";

/** What the query of every list has in common: one value for each parameter, `limit`, and the cursor of an earlier page. */

type Query = VendorRequest["query"];

export const LIMIT_DEFAULT = 50;
export const LIMIT_MAX = 100;

/** The parameters by name, or throws what names the one that is unknown or has not exactly one value. */
export function parametersOf<Name extends string>(
  query: Query,
  names: readonly Name[],
): (name: Name) => string | null {
  for (const [name, values] of Object.entries(query)) {
    if (!names.includes(name as Name))
      throw invalid(name, `unknown parameter; expected one of ${names.join(", ")}`);
    if (values.length !== 1 || values[0] === "")
      throw invalid(name, `got ${values.length} values; expected one value that is not empty`);
    if (values[0]?.isWellFormed() !== true)
      throw invalid(name, "contains half of a surrogate pair; expected text of whole characters");
  }
  return (name) => query[name]?.[0] ?? null;
}

/** How many a page has at most. */
export function limitOf(text: string | null, max: number = LIMIT_MAX): number {
  if (text === null) return LIMIT_DEFAULT;
  const limit = Number(text);
  if (!/^\d{1,4}$/.test(text) || limit < 1 || limit > max)
    throw invalid("limit", `got ${shown(text)}; expected a whole number from 1 to ${max}`);
  return limit;
}

/** What tells the cursors of one query from those of every other. `asked`: the filters that it has. */
export const signatureOf = (asked: unknown): string => sha256(JSON.stringify(asked)).slice(0, 16);

export const cursorOf = (signature: string, at: Readonly<Record<string, string | number>>): string =>
  Buffer.from(JSON.stringify({ signature, ...at })).toString("base64url");

/** What a cursor of this query holds, null where there is none. Throws on a cursor of another query. */
export function readCursor(text: string | null, signature: string): Readonly<Record<string, unknown>> | null {
  if (text === null) return null;
  try {
    const cursor: unknown = JSON.parse(Buffer.from(text, "base64url").toString("utf8"));
    if (
      typeof cursor === "object" &&
      cursor !== null &&
      "signature" in cursor &&
      cursor.signature === signature
    )
      return { ...cursor };
  } catch {
    // Falls through to the same refusal: what is no cursor is a cursor of no query.
  }
  throw wrongCursor();
}

export const wrongCursor = () =>
  invalid(
    "cursor",
    "got a cursor of another query; expected the next_cursor of an answer with the same filters",
  );

/** The value, if it is one of those that are accepted. */
export function oneOf<Accepted extends string>(
  name: string,
  text: string | null,
  accepted: readonly Accepted[],
): Accepted | null {
  if (text === null) return null;
  const found = accepted.find((each) => each === text);
  if (found === undefined) throw invalid(name, `got ${shown(text)}; expected one of: ${accepted.join(", ")}`);
  return found;
}

/** The filter by label: exact, or with a last `*` by the beginning of labels. */
export const labelIn = (text: string | null): LabelMatch | null =>
  text === null ? null : labelMatchOf(text);

/** Where an earlier page ended, in a cursor that holds nothing else. */
export function positionIn(cursor: Readonly<Record<string, unknown>> | null): string | null {
  const position = cursor?.["position"] ?? null;
  if (position !== null && (typeof position !== "string" || position === "" || !position.isWellFormed()))
    throw wrongCursor();
  return position;
}

/** A list without filters. */
export function parseListRequest(query: Query) {
  const value = parametersOf(query, ["limit", "cursor"]);
  const signature = signatureOf([]);
  const before = positionIn(readCursor(value("cursor"), signature));
  return {
    limit: limitOf(value("limit")),
    before,
    cursorFor: (position: string) => cursorOf(signature, { position }),
  };
}

export const shown = (text: string): string => JSON.stringify(text.slice(0, 60));
