import * as v from "valibot";
import { Problem } from "../domain/problem.ts";
import { isJsonObject } from "../domain/strict-json.ts";

/** Reads a body by its schema, or throws a Problem that names the field and says what was expected. */
export function parseBody<T extends v.GenericSchema>(schema: T, body: unknown): v.InferOutput<T> {
  // Checks own names only: the schema would accept `toString`, which every object has.
  const unknown = isJsonObject(body)
    ? Object.keys(body).find(
        (name) => !("entries" in schema) || !Object.hasOwn(schema.entries as object, name),
      )
    : undefined;
  if (unknown !== undefined) throw invalid(unknown, `unknown field; expected one of ${fieldsOf(schema)}`);
  const result = v.safeParse(schema, body);
  if (result.success) return result.output;
  const [issue] = result.issues;
  const path = v.getDotPath(issue);
  if (issue.received === "undefined") throw invalid(path ?? "body", "missing");
  throw invalid(
    path ?? "body",
    path === null ? `expected a JSON object with ${fieldsOf(schema)}` : issue.message,
  );
}

/** What the caller shows, with and without what may stand before it: no text that is stored may contain it. */
export const knownSecrets = (token: string | null): readonly string[] =>
  token === null ? [] : [token, token.replace(/^kb_/, "")].filter(({ length }) => length >= 8);

const fieldsOf = (schema: v.GenericSchema): string =>
  "entries" in schema ? Object.keys(schema.entries as object).join(", ") : "";

export const invalid = (field: string, message: string) =>
  new Problem("invalid_request", `${field}: ${message}`, { details: { field } });
