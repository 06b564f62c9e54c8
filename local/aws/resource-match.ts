import type { Route } from "../../lib/routes.ts";
import type { FunctionName } from "../../lib/services.ts";

/** A resource of the API that a path falls on, with the parameters as they were received. */
export interface ResourceMatch {
  /** The resource's path with its placeholders, e.g. `/vault/keys/{id}`. */
  readonly resource: string;
  readonly pathParameters: Readonly<Record<string, string>> | null;
  readonly function: FunctionName;
}

/**
 * Routes as a REST API does, and returns undefined where no resource with that method matches.
 *
 * The most specific resource wins, segment by segment: literal, then `{name}`, then `{name+}`, which takes one segment
 * or more, so never the root. One that lacks the method is passed over for a wider one: it is the pair that is looked for
 * (measured on AWS: ministackorg/ministack#1423 and floci-io/floci#3399, read 2026-11-23). A trailing slash does not
 * count, and is not in the parameters (floci-io/floci#1863, "mirroring AWS", read 2026-11-22).
 */
export function resourceMatcher(routes: readonly Route[]) {
  const candidates = routes.map((route) => ({ ...route, segments: segmentsOf(route.path) }));

  return (method: string, path: string): ResourceMatch | undefined => {
    const segments = segmentsOf(path);
    const [best] = candidates
      .filter((route) => route.method === method || route.method === "ANY")
      .filter((route) => matches(route.segments, segments))
      .sort((one, other) => compareSpecificity(one.segments, other.segments));
    if (best === undefined) return undefined;
    return {
      resource: best.path,
      pathParameters: parametersOf(best.segments, segments),
      function: best.function,
    };
  };
}

function segmentsOf(path: string): readonly string[] {
  const trimmed = path.replace(/^\//, "").replace(/\/$/, "");
  return trimmed === "" ? [] : trimmed.split("/");
}

const isGreedy = (segment: string | undefined) => segment?.endsWith("+}") ?? false;
const isPlaceholder = (segment: string) => segment.startsWith("{");

function matches(pattern: readonly string[], path: readonly string[]): boolean {
  const hasRest = isGreedy(pattern.at(-1));
  if (hasRest ? path.length < pattern.length : path.length !== pattern.length) return false;
  return pattern.every((segment, index) => isPlaceholder(segment) || segment === path[index]);
}

function compareSpecificity(one: readonly string[], other: readonly string[]): number {
  for (const [index, segment] of one.entries()) {
    const difference = width(segment) - width(other[index]);
    if (difference !== 0) return difference;
  }
  return 0;
}

function width(segment: string | undefined): number {
  if (segment === undefined || isGreedy(segment)) return 2;
  return isPlaceholder(segment) ? 1 : 0;
}

function parametersOf(pattern: readonly string[], path: readonly string[]): Record<string, string> | null {
  const parameters: [string, string][] = [];
  for (const [index, segment] of pattern.entries()) {
    if (!isPlaceholder(segment)) continue;
    const rest = isGreedy(segment) ? path.slice(index).join("/") : path[index];
    parameters.push([segment.replace(/^\{|\+?\}$/g, ""), rest ?? ""]);
  }
  return parameters.length === 0 ? null : Object.fromEntries(parameters);
}
