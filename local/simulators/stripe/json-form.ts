import type { FormHash, FormValue } from "./form.ts";

/**
 * The parameters of a JSON object, as if they had been sent in a form: v2 takes JSON, and so do the simulator's own
 * endpoints. Numbers and booleans become their text, arrays hashes with the keys 0, 1, 2; what is null was not sent.
 */
export function formOfJson(json: object): FormHash {
  const form = new Map<string, FormValue>();
  for (const [name, value] of Object.entries(json)) {
    if (value === null || value === undefined) continue;
    form.set(name, typeof value === "object" ? formOfJson(value) : String(value));
  }
  return form;
}
