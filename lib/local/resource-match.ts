import type { FunctionName, Route } from "../routes.ts";

/** A resource of the API that a path falls on, with the parameters as they were received. */
export interface ResourceMatch {
  /** The resource's path with its placeholders, e.g. `/vault/keys/{id}`. */
  readonly resource: string;
  readonly pathParameters: Readonly<Record<string, string>> | null;
  /** Function for the method asked for; undefined where the resource does not have that method. */
  readonly function: FunctionName | undefined;
}

interface Resource {
  readonly path: string;
  readonly segments: readonly string[];
  readonly functions: Map<string, FunctionName>;
}

/**
 * Routes as a REST API does, and returns undefined where no resource matches.
 *
 * The most specific resource wins, segment by segment: literal, then `{name}`, then `{name+}`, which takes one segment
 * or more, so never the root. The resource is chosen before the method is looked at: one that lacks the method is not
 * passed over for a wider one. Parents of a resource are resources too, without methods. A trailing slash does not count,
 * and is not in the parameters (floci-io/floci#1863, "mirroring AWS", read 2026-11-22).
 */
export function resourceMatcher(routes: readonly Route[]) {
  const resources = resourcesOf(routes);

  return (method: string, path: string): ResourceMatch | undefined => {
    const segments = segmentsOf(path);
    const [best] = resources
      .filter((resource) => matches(resource.segments, segments))
      .sort((one, other) => compareSpecificity(one.segments, other.segments));
    if (best === undefined) return undefined;
    return {
      resource: best.path,
      pathParameters: parametersOf(best.segments, segments),
      function: best.functions.get(method) ?? best.functions.get("ANY"),
    };
  };
}

function resourcesOf(routes: readonly Route[]): readonly Resource[] {
  const resources = new Map<string, Resource>();
  const resourceAt = (path: string): Resource => {
    const resource = resources.get(path) ?? { path, segments: segmentsOf(path), functions: new Map() };
    resources.set(path, resource);
    return resource;
  };
  for (const route of routes) {
    const segments = segmentsOf(route.path);
    for (let length = 0; length < segments.length; length++)
      resourceAt(`/${segments.slice(0, length).join("/")}`);
    resourceAt(route.path).functions.set(route.method, route.function);
  }
  return [...resources.values()];
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
