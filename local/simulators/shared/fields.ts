/** The fields of a JSON object; undefined for anything else, an array included. */
export function fieldsOf(json: unknown): ReadonlyMap<string, unknown> | undefined {
  if (typeof json !== "object" || json === null || Array.isArray(json)) return undefined;
  return new Map(Object.entries(json));
}
