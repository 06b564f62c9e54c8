/** What a change of a key sends: only what is another than before. */

export interface Changeable {
  readonly daily_usd_cap: number | null;
  readonly total_usd_cap: number | null;
  readonly per_call_usd_cap: number | null;
}

export const CAPS = ["daily_usd_cap", "total_usd_cap", "per_call_usd_cap"] as const;

/** As somebody typed it: an empty cap is none, an empty time changes nothing. */
export type Typed = Readonly<Record<(typeof CAPS)[number] | "expires_in", string>>;

/** Caps go as text: the API reads every decimal place of it, where a number may lose one. */
export function changeOf(before: Changeable, typed: Typed): Readonly<Record<string, string | null>> {
  const change: Record<string, string | null> = {};
  for (const name of CAPS) {
    const text = typed[name].trim();
    const was = before[name];
    if (text === "" && was !== null) change[name] = null;
    if (text !== "" && (was === null || Number(text) !== was)) change[name] = text;
  }
  const time = typed.expires_in.trim();
  return time === "" ? change : { ...change, expires_in: time };
}

/** The caps of a key as they stand in a form. */
export const typedOf = (key: Changeable): Typed => ({
  daily_usd_cap: key.daily_usd_cap === null ? "" : String(key.daily_usd_cap),
  total_usd_cap: key.total_usd_cap === null ? "" : String(key.total_usd_cap),
  per_call_usd_cap: key.per_call_usd_cap === null ? "" : String(key.per_call_usd_cap),
  expires_in: "",
});
