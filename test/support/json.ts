/** What stands at a path of parsed JSON; undefined where there is nothing. */
export function at(json: unknown, ...path: readonly (string | number)[]): unknown {
  let value = json;
  for (const name of path) {
    if (typeof value !== "object" || value === null) return undefined;
    value = Object.entries(value).find(([field]) => field === String(name))?.[1];
  }
  return value;
}

export function textAt(json: unknown, ...path: readonly (string | number)[]): string {
  const value = at(json, ...path);
  if (typeof value === "string") return value;
  throw new TypeError(`${path.join(".")} is no text in ${JSON.stringify(json)}`);
}

export function numberAt(json: unknown, ...path: readonly (string | number)[]): number {
  const value = at(json, ...path);
  if (typeof value === "number") return value;
  throw new TypeError(`${path.join(".")} is no number in ${JSON.stringify(json)}`);
}

export function listAt(json: unknown, ...path: readonly (string | number)[]): readonly unknown[] {
  const value = at(json, ...path);
  if (Array.isArray(value)) return value;
  throw new TypeError(`${path.join(".")} is no list in ${JSON.stringify(json)}`);
}
