/** What is served, by method and path; `:name` in a path is any one segment, not empty. */
export type RouteTable<T> = Readonly<Record<string, T>>;

export interface FoundRoute<T> {
  readonly route: T;
  /** The segments where the path has names, decoded, in order. */
  readonly ids: readonly string[];
}

/** The first route of the table that a request matches, or undefined. */
export function findRoute<T>(table: RouteTable<T>, method: string, path: string): FoundRoute<T> | undefined {
  const segments = path.split("/");
  for (const [name, route] of Object.entries(table)) {
    const [routeMethod, pattern = ""] = name.split(" ");
    const ids = routeMethod === method ? idsIn(segments, pattern.split("/")) : undefined;
    if (ids !== undefined) return { route, ids };
  }
  return undefined;
}

/** Whether the path is served with any method. */
export function isServed(table: RouteTable<unknown>, path: string): boolean {
  const segments = path.split("/");
  return Object.keys(table).some((name) => {
    const [, pattern = ""] = name.split(" ");
    return idsIn(segments, pattern.split("/")) !== undefined;
  });
}

function idsIn(segments: readonly string[], pattern: readonly string[]): readonly string[] | undefined {
  if (segments.length !== pattern.length) return undefined;
  const ids: string[] = [];
  for (const [index, part] of pattern.entries()) {
    const segment = segments[index] ?? "";
    if (!part.startsWith(":")) {
      if (segment !== part) return undefined;
      continue;
    }
    const id = decoded(segment);
    if (id === undefined || id === "") return undefined;
    ids.push(id);
  }
  return ids;
}

function decoded(segment: string): string | undefined {
  try {
    return decodeURIComponent(segment);
  } catch {
    return undefined;
  }
}
