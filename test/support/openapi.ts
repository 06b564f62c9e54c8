import { Ajv2020, type ValidateFunction } from "ajv/dist/2020.js";
import type { Reply } from "./keybrake.ts";

/** A schema of JSON Schema 2020-12, or any other part of an OpenAPI document. */
type Part = Readonly<Record<string, unknown>>;

const part = (value: unknown): Part => (typeof value === "object" && value !== null ? (value as Part) : {});
const parts = (value: unknown): readonly Part[] => (Array.isArray(value) ? value.map(part) : []);

/** One operation as the document has it. */
export interface Documented {
  readonly id: string;
  readonly method: string;
  readonly path: string;
  readonly operation: Part;
}

/**
 * Holds answers against an OpenAPI document, and keeps what they showed: at the end the document must have promised nothing
 * that no answer had.
 */
export class OpenApi {
  readonly operations: readonly Documented[];
  readonly #document: Part;
  readonly #ajv = new Ajv2020({ strict: false, validateFormats: false, allErrors: true });
  readonly #compiled = new Map<string, ValidateFunction>();
  readonly #seen = new Set<string>();

  constructor(document: unknown) {
    this.#document = part(document);
    this.#ajv.addSchema({ ...this.#document, $id: "document" });
    this.operations = Object.entries(part(this.#document["paths"])).flatMap(([path, methods]) =>
      Object.entries(part(methods)).map(([method, operation]) => ({
        id: `${part(operation)["operationId"]}`,
        method: method.toUpperCase(),
        path,
        operation: part(operation),
      })),
    );
  }

  /** The operation of this id. */
  find(id: string): Documented {
    const found = this.operations.find((operation) => operation.id === id);
    if (found === undefined) throw new Error(`the document has no operation ${id}`);
    return found;
  }

  /** The codes of the errors that an operation promises. */
  codesOf(id: string): readonly string[] {
    const responses = Object.entries(part(this.find(id).operation["responses"]));
    return responses.flatMap(([, response]) => {
      const { schema } = part(part(part(this.#resolved(part(response))["content"])["application/json"]));
      const { oneOf, ...alone } = part(schema);
      return [alone, ...parts(oneOf)].flatMap((each) => {
        const error = part(part(this.#resolved(each)["properties"])["error"]);
        const { const: code } = part(part(error["properties"])["code"]);
        return typeof code === "string" ? [code] : [];
      });
    });
  }

  /** What is wrong with a value by this schema; empty where nothing is. */
  problems(schema: unknown, value: unknown): readonly string[] {
    const validate = this.#validatorOf(part(schema));
    return validate(value) === true
      ? []
      : (validate.errors ?? []).map(({ instancePath, message, params }) =>
          `${instancePath} ${message} ${JSON.stringify(params)}`.trim(),
        );
  }

  /** What an answer has that the document does not say of this operation; empty where it says all. */
  undocumented(id: string, { status, headers, json, text }: Reply): readonly string[] {
    const responses = part(this.find(id).operation["responses"]);
    const response = this.#resolved(part(responses[status]));
    if (!(status in responses)) return [`${id}: ${status} is not documented: ${text}`];
    const type = `${headers["content-type"]}`.split(";")[0] ?? "";
    const content = part(part(response["content"])[type]);
    if (content["schema"] === undefined) return [`${id}: ${status} as ${type} is not documented`];
    this.#seen.add(`${id} ${status} ${type}`);
    for (const [name, header] of Object.entries(part(response["headers"]))) {
      if (headers[name.toLowerCase()] !== undefined) this.#seen.add(`${id} ${status} header ${name}`);
      else if (this.#resolved(part(header))["required"] === true) return [`${id}: ${status} lacks ${name}`];
    }
    const problems = this.problems(content["schema"], type === "application/json" ? json : text);
    if (problems.length === 0 && type === "application/json")
      this.#mark(part(content["schema"]), json, "", id);
    return problems.map((problem) => `${id}: ${status} ${problem} in ${text}`);
  }

  /** What the document promises and no answer had: statuses, types, headers, codes, and fields that were never there or null. */
  unseen(): readonly string[] {
    const promised = new Set<string>();
    for (const { id, operation } of this.operations) {
      for (const [status, reference] of Object.entries(part(operation["responses"]))) {
        if (status === "default") continue;
        const response = this.#resolved(part(reference));
        for (const name of Object.keys(part(response["headers"])))
          promised.add(`${id} ${status} header ${name}`);
        for (const [type, content] of Object.entries(part(response["content"]))) {
          promised.add(`${id} ${status} ${type}`);
          this.#promise(part(part(content)["schema"]), "", id, promised);
        }
      }
    }
    return [...promised].filter((each) => !this.#seen.has(each)).toSorted();
  }

  #validatorOf(schema: Part): ValidateFunction {
    const text = JSON.stringify(schema).replaceAll('"#/', '"document#/');
    const compiled = this.#compiled.get(text) ?? this.#ajv.compile(JSON.parse(text));
    this.#compiled.set(text, compiled);
    return compiled;
  }

  #resolved(value: Part): Part {
    const reference = value["$ref"];
    if (typeof reference !== "string") return value;
    return reference
      .slice(2)
      .split("/")
      .reduce((at, name) => part(at[name]), this.#document);
  }

  /** Where a part of an answer is: the name of its schema, or the place that it has in another one. */
  #place(schema: Part, place: string): string {
    const reference = schema["$ref"];
    return typeof reference === "string" ? (reference.split("/").at(-1) ?? "") : place;
  }

  /** Keeps which fields a value has. `id`: of the operation whose errors are told apart. */
  #mark(schema: Part, value: unknown, place: string, id: string): void {
    const here = this.#place(schema, place);
    if (here !== place) this.#seen.add(`${id} ${here}`);
    const { properties, items, anyOf, oneOf } = this.#resolved(schema);
    for (const each of [...parts(anyOf), ...parts(oneOf)])
      if (this.problems(each, value).length === 0) this.#mark(each, value, here, id);
    if (Array.isArray(value)) for (const each of value) this.#mark(part(items), each, here, id);
    for (const [name, property] of Object.entries(part(properties))) {
      const inside = part(value)[name];
      if (inside === undefined || (inside === null && part(property)["type"] !== "null")) continue;
      this.#seen.add(`${here}.${name}`);
      this.#mark(part(property), inside, `${here}.${name}`, id);
    }
  }

  #promise(schema: Part, place: string, id: string, promised: Set<string>): void {
    const here = this.#place(schema, place);
    if (here !== place) promised.add(`${id} ${here}`);
    const { properties, items, anyOf, oneOf } = this.#resolved(schema);
    const inside = items === undefined ? [] : [part(items)];
    for (const each of [...parts(anyOf), ...parts(oneOf), ...inside]) this.#promise(each, here, id, promised);
    for (const [name, property] of Object.entries(part(properties))) {
      promised.add(`${here}.${name}`);
      this.#promise(part(property), `${here}.${name}`, id, promised);
    }
  }
}
