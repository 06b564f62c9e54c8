import { Problem } from "../../domain/problem.ts";
import { isJsonObject } from "../../domain/strict-json.ts";
import { parseVaultKey } from "../../domain/vault-key.ts";
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
  const query = queryProblem(request, rules, guard);
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
  { method, query }: VendorRequest,
  { endpoint, credentialParameter }: RequestRules,
  guard: Guard,
): Problem | null {
  // Beside a body a parameter is another place for what costs, and some servers refuse a wrong one only when the work is done.
  const takesAny = BODILESS.has(method) || endpoint.price === "free";
  const isAnotherSpelling = spellingsOf(guardedNames(guard));
  const listed = endpoint.query ?? (takesAny ? null : []);
  for (const [name, values] of Object.entries(query)) {
    const shown = JSON.stringify(name.slice(0, 40));
    if (values.some((value) => parseVaultKey(value) !== null))
      return ambiguous(`the query has a vault key in ${shown}, which would reach the vendor; leave it out`);
    if (asksForMethod(name))
      return ambiguous(`the query has ${shown}, which asks for another method; send that method itself`);
    if (credentialParameter !== null && folded(name) === folded(credentialParameter))
      return ambiguous(`the query has ${shown}, which carries the credential; leave it out`);
    if (name === guard.parameter) {
      if (values.length !== 1) return ambiguous(`the query names ${shown} twice`);
      continue;
    }
    if (isAnotherSpelling(name))
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

/** Judges whether a server could take a name for a guarded one: all of it, or any part of it for the last part of that. */
function spellingsOf(guarded: readonly string[]): (name: string) => boolean {
  const whole = new Set(guarded.map(folded));
  const last = new Set(guarded.map((field) => foldedParts(field).at(-1) ?? ""));
  return (name) => whole.has(folded(name)) || foldedParts(name).some((part) => last.has(part));
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
  // A list at the top is many calls in one for some servers, as a batch of JSON-RPC is.
  const needsObject =
    endpoint.price !== "free" || endpoint.fields !== undefined || endpoint.values !== undefined;
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
  const isAnotherSpelling = spellingsOf(guardedNames(guard));
  const other = written.find(
    (name) =>
      name !== guard.formField &&
      !guard.limited.some((segments) => segments.length === 1 && segments[0] === name) &&
      isAnotherSpelling(name),
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
  if (guarded.length === 0) return null;
  const isAnotherSpelling = spellingsOf(guarded.map((path) => path.join(".")));
  /** `begun`: the guarded paths whose first `depth` segments lead here. */
  const visit = (inner: unknown, begun: readonly (readonly string[])[], depth: number): string | null => {
    if (typeof inner !== "object" || inner === null) return null;
    if (Array.isArray(inner)) {
      for (const [index, entry] of inner.entries()) {
        const led = begun.length === 0 ? begun : begun.filter((path) => path[depth] === `${index}`);
        const found = led.some((path) => path.length === depth + 1) ? null : visit(entry, led, depth + 1);
        if (found !== null) return found;
      }
      return null;
    }
    for (const [name, below] of Object.entries(inner)) {
      const led = begun.length === 0 ? begun : begun.filter((path) => path[depth] === name);
      if (led.some((path) => path.length === depth + 1)) continue;
      const isPart = begun.some((path) => folded(path[depth] ?? "") === folded(name));
      if (led.length === 0 && (isPart || isAnotherSpelling(name))) return name;
      const found = visit(below, led, depth + 1);
      if (found !== null) return found;
    }
    return null;
  };
  const found = visit(value, guarded, 0);
  return found === null ? null : anotherSpelling(found);
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
