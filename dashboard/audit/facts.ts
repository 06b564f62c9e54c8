import { usd } from "../format/usd.ts";

/** What a row says, by the names of the API, so that it can be found again in an export. What it does not say is left out. */

/** Shown elsewhere in the row. */
const SHOWN: readonly string[] = ["events", "id"];

export function factsOf(row: object): readonly (readonly [name: string, value: string])[] {
  return Object.entries(row).flatMap(([name, value]) => {
    if (SHOWN.includes(name)) return [];
    const text = textOf(name, value);
    return text === "" ? [] : [[name, text] as const];
  });
}

/** Empty for what says nothing. */
export function textOf(name: string, value: unknown): string {
  if (value === null || value === undefined) return "";
  if (Array.isArray(value)) return value.join(", ");
  if (typeof value === "object")
    return Object.entries(value)
      .map(([key, text]) => `${key}: ${text}`)
      .join(", ");
  if (typeof value === "number" && /_usd(_|$)/.test(name)) return usd(value);
  return String(value);
}
