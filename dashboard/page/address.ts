/**
 * Where the reader is, in the part of the address behind `#`: `#audit?vendor=x&state=denied`. So a link can be shared, the server
 * needs one path only, and no filter reaches a log.
 */

export const VIEWS = ["overview", "keys", "audit", "spend"] as const;
export type View = (typeof VIEWS)[number];

export type Filters = Readonly<Record<string, string>>;

export interface Place {
  readonly view: View;
  /** Only those that have a value. */
  readonly filters: Filters;
}

/** What an address leads to: the overview where it names nothing that there is. */
export function placeOf(hash: string): Place {
  const [name = "", query = ""] = hash.replace(/^#/, "").split(/\?(.*)/s);
  const view = VIEWS.find((each) => each === name);
  if (view === undefined) return { view: "overview", filters: {} };
  const filters = [...new URLSearchParams(query)].filter(([, value]) => value !== "");
  return { view, filters: Object.fromEntries(filters) };
}

export function hashOf(view: View, filters: Readonly<Record<string, string | undefined>> = {}): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(filters))
    if (value !== undefined && value !== "") query.set(name, value);
  const text = query.toString();
  return text === "" ? `#${view}` : `#${view}?${text}`;
}
