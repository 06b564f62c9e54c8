import { Problem } from "../../domain/problem.ts";
import { isJsonObject } from "../../domain/strict-json.ts";
import type { VendorRequest } from "../../domain/vendor.ts";
import { ambiguous, type Form, type FormStyle, parseForm } from "../form.ts";
import { readJson } from "../json-body.ts";
import { BODILESS, type EndpointDefinition, placeOf } from "./definition.ts";
import { asksForMethod, folded, foldedParts } from "./names.ts";

/**
 * A request of a configured vendor, read so strictly that its server cannot find another price in it than we do. Of an API
 * that is known by its definition alone it is not known how it parses, so whatever any parser could read otherwise is
 * refused.
 */
export interface StrictRequest {
  readonly query: VendorRequest["query"];
  readonly body:
    | { readonly kind: "none" }
    | { readonly kind: "json"; readonly value: unknown; readonly text: string }
    | { readonly kind: "form"; readonly form: Form };
}

/** What is checked of every request of an endpoint. `credentialParameter`: where the API takes its credential, if in the query. */
export interface RequestRules {
  readonly endpoint: EndpointDefinition;
  readonly credentialParameter: string | null;
}

/** Reads a request, or says why it is refused. */
export function readRequest(request: VendorRequest, rules: RequestRules): StrictRequest | Problem {
  const guard = guardOf(rules.endpoint);
  const query = queryProblem(request.query, rules, guard);
  if (query !== null) return query;
  if ((request.headers["content-encoding"] ?? []).length > 0)
    return ambiguous("the body is compressed; send it uncompressed");
  const body = bodyOf(request, rules.endpoint, guard);
  return body instanceof Problem ? body : { query: request.query, body };
}

/** The names that decide about the price, or that the definition says something of. */
interface Guard {
  /** Segments of the field of JSON with the price. */
  readonly path: readonly string[] | null;
  readonly formField: string | null;
  readonly parameter: string | null;
  /** Fields of JSON or a form whose values are limited, each as its segments. */
  readonly limited: readonly (readonly string[])[];
}

function guardOf({ price, values = {} }: EndpointDefinition): Guard {
  const { json, form, query } = placeOf(price) ?? {};
  return {
    path: json?.split(".") ?? null,
    formField: form ?? null,
    parameter: query ?? null,
    limited: Object.keys(values).map((name) => name.split(".")),
  };
}

function queryProblem(
  query: VendorRequest["query"],
  { endpoint, credentialParameter }: RequestRules,
  guard: Guard,
): Problem | null {
  const where = placeOf(endpoint.price);
  const listed = endpoint.query ?? (where === null || where.query !== undefined ? null : []);
  for (const [name, values] of Object.entries(query)) {
    const shown = JSON.stringify(name.slice(0, 40));
    if (asksForMethod(name))
      return ambiguous(`the query has ${shown}, which asks for another method; send that method itself`);
    if (credentialParameter !== null && folded(name) === folded(credentialParameter))
      return ambiguous(`the query has ${shown}, which carries the credential; leave it out`);
    if (name === guard.parameter) {
      if (values.length !== 1) return ambiguous(`the query names ${shown} twice`);
      continue;
    }
    if (isAnotherSpelling(name, guardedNames(guard)))
      return ambiguous(`the query has ${shown}, which some servers read as the priced field; leave it out`);
    if (listed === null) continue;
    if (!listed.includes(name) || values.length !== 1)
      return ambiguous(
        `the query has ${shown}, which is unknown or repeated; expected ${[...listed, ...(guard.parameter === null ? [] : [guard.parameter])].join(", ") || "none"}`,
      );
  }
  return null;
}

const guardedNames = ({ path, formField, parameter, limited }: Guard): readonly string[] => [
  ...(path === null ? [] : [path.join(".")]),
  ...(formField === null ? [] : [formField]),
  ...(parameter === null ? [] : [parameter]),
  ...limited.map((segments) => segments.join(".")),
];

/** Whether a server could take a name for a guarded one: all of it, or any part of it for the last part of that. */
function isAnotherSpelling(name: string, guarded: readonly string[]): boolean {
  const parts = foldedParts(name);
  return guarded.some((field) => {
    const last = foldedParts(field).at(-1) ?? "";
    return folded(name) === folded(field) || parts.includes(last);
  });
}

function bodyOf(
  request: VendorRequest,
  endpoint: EndpointDefinition,
  guard: Guard,
): StrictRequest["body"] | Problem {
  if (BODILESS.has(request.method))
    return request.body.length === 0
      ? { kind: "none" }
      : ambiguous(`a ${request.method} has no body here; leave it out`);
  // What a query may have was looked at: both readers take a request whose parameters stand in its body.
  const bare = { ...request, query: {} };
  const isFixed = guard.path === null && guard.formField === null;
  if (isFixed && request.body.length === 0) return { kind: "none" };
  const [type = ""] = request.headers["content-type"] ?? [];
  const isForm = guard.formField !== null || (isFixed && /^application\/x-www-form-urlencoded\b/i.test(type));
  return isForm ? formOf(bare, endpoint, guard) : jsonOf(bare, endpoint, guard);
}

function jsonOf(
  request: VendorRequest,
  endpoint: EndpointDefinition,
  guard: Guard,
): StrictRequest["body"] | Problem {
  const read = readJson(request);
  if (read instanceof Problem) return read;
  const { value } = read;
  const needsObject = guard.path !== null || endpoint.fields !== undefined || endpoint.values !== undefined;
  if (needsObject && !isJsonObject(value)) return ambiguous("the body must be a JSON object");
  const names = isJsonObject(value) ? Object.keys(value) : [];
  const problem =
    namesProblem(names, endpoint) ??
    otherPlace(value, guard) ??
    valuesProblem(endpoint, (path) => valueAt(value, path));
  return problem ?? { kind: "json", value, text: new TextDecoder().decode(request.body) };
}

function formOf(
  request: VendorRequest,
  endpoint: EndpointDefinition,
  guard: Guard,
): StrictRequest["body"] | Problem {
  const list = isList(endpoint) ? guard.formField : null;
  const form = parseForm(request, formStyle(list));
  if (form instanceof Problem) return form;
  const written = [...new Set([...form.keys()].map((key) => key.replace(/#\d+$/, "")))];
  const tops = written.map((name) => name.split("[", 1)[0] ?? name);
  const other = written.find(
    (name) =>
      name !== guard.formField &&
      !guard.limited.some((segments) => segments.length === 1 && segments[0] === name) &&
      isAnotherSpelling(name, guardedNames(guard)),
  );
  if (other !== undefined) return anotherSpelling(other);
  const problem = namesProblem(tops, endpoint) ?? valuesProblem(endpoint, ([name = ""]) => form.get(name));
  return problem ?? { kind: "form", form };
}

/** Any name that is written plainly; of a list each entry stands for itself. */
const formStyle = (list: string | null): FormStyle => ({
  name: /^[$_]?[A-Za-z][A-Za-z0-9_.-]*(\[[^[\]]*\])*$/,
  repeated: list === null ? [] : [list],
});

const isList = ({ price }: EndpointDefinition): boolean =>
  typeof price === "object" && "times" in price && price.times.is === "list";

function namesProblem(names: readonly string[], { fields }: EndpointDefinition): Problem | null {
  const method = names.find(asksForMethod);
  if (method !== undefined)
    return ambiguous(
      `the body has ${JSON.stringify(method.slice(0, 40))}, which asks for another method; send that method itself`,
    );
  const unknown = fields === undefined ? undefined : names.find((name) => !fields.includes(name));
  if (unknown === undefined) return null;
  return new Problem(
    "endpoint_not_priced",
    `${JSON.stringify(unknown.slice(0, 40))}: unknown field; Keybrake cannot bound its cost; expected ${fields?.join(", ")}`,
  );
}

const anotherSpelling = (name: string): Problem =>
  ambiguous(
    `the body has ${JSON.stringify(name.slice(0, 40))}, which some servers read as the priced field; leave it out`,
  );

/**
 * The first name in JSON that a server could take for a guarded one: it stands where none is expected, or is written
 * otherwise. What is inside of a guarded field is its value.
 */
function otherPlace(value: unknown, guard: Guard): Problem | null {
  const guarded = [...(guard.path === null ? [] : [guard.path]), ...guard.limited];
  const visit = (inner: unknown, way: readonly string[]): string | null => {
    if (Array.isArray(inner)) {
      for (const [index, entry] of inner.entries()) {
        const found = visit(entry, [...way, `${index}`]);
        if (found !== null) return found;
      }
      return null;
    }
    if (!isJsonObject(inner)) return null;
    for (const [name, below] of Object.entries(inner)) {
      const here = [...way, name];
      const within = guarded.filter((path) => startsWith(path, here) || startsWith(here, path));
      if (within.some((path) => here.length >= path.length)) continue;
      if (within.length === 0 && guarded.some((path) => couldBe(name, way, path))) return name;
      const found = visit(below, here);
      if (found !== null) return found;
    }
    return null;
  };
  const found = guarded.length === 0 ? null : visit(value, []);
  return found === null ? null : anotherSpelling(found);
}

const startsWith = (path: readonly string[], beginning: readonly string[]): boolean =>
  beginning.length <= path.length && beginning.every((segment, at) => segment === path[at]);

/** A name that is the last one of a guarded path wherever it stands, all of it, or another spelling of a part of its way. */
function couldBe(name: string, way: readonly string[], path: readonly string[]): boolean {
  if (isAnotherSpelling(name, [path.join(".")])) return true;
  const part = path[way.length];
  return part !== undefined && startsWith(path, way) && folded(name) === folded(part);
}

function valuesProblem(
  { values = {} }: EndpointDefinition,
  found: (path: readonly string[]) => unknown,
): Problem | null {
  for (const [field, accepted] of Object.entries(values)) {
    const value = found(field.split("."));
    if (value === undefined || accepted.some((one) => one === value)) continue;
    return new Problem(
      "endpoint_not_priced",
      `${field}: unknown value; Keybrake cannot bound its cost; expected ${accepted.map((one) => JSON.stringify(one)).join(", ")}`,
    );
  }
  return null;
}

/** What stands at a path of a JSON value; undefined where nothing does. */
export function valueAt(value: unknown, path: readonly string[]): unknown {
  let inner = value;
  for (const name of path) {
    if (Array.isArray(inner)) inner = inner[Number(name)];
    else inner = isJsonObject(inner) && Object.hasOwn(inner, name) ? inner[name] : undefined;
  }
  return inner;
}
