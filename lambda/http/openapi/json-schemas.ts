import { toJsonSchemaDefs } from "@valibot/to-json-schema";
import type { GenericSchema } from "valibot";
import { descriptionOf } from "./descriptions.ts";
import type { JsonSchema } from "./operation.ts";

/** Where the document keeps its schemas. */
export const schemaRef = (name: string) => `#/components/schemas/${name}`;

/**
 * What a schema says of a request as it arrives: what it refuses beyond JSON Schema is left out, and stands in the words. Any
 * other part of a schema that JSON Schema cannot say throws.
 */
const WORDS_ONLY: readonly string[] = ["raw_check", "check"];

/** JSON Schemas of these valibot schemas, which refer to each other by name; every field has its description. */
export function jsonSchemasOf(
  schemas: Readonly<Record<string, GenericSchema>>,
): Readonly<Record<string, JsonSchema>> {
  const converted = toJsonSchemaDefs(schemas as Parameters<typeof toJsonSchemaDefs>[0], {
    target: "draft-2020-12",
    typeMode: "input",
    overrideRef: ({ referenceId }) => schemaRef(referenceId),
    overrideSchema: ({ valibotSchema }) => (valibotSchema.type === "custom" ? {} : undefined),
    overrideAction: ({ valibotAction, jsonSchema }) =>
      WORDS_ONLY.includes(valibotAction.type) ? jsonSchema : undefined,
  });
  return Object.fromEntries(
    Object.entries(converted).map(([name, schema]) => [name, described(schema, name) as JsonSchema]),
  );
}

/** The same schema with a description on each field. `owner`: the name of the schema that has the fields. */
function described(schema: unknown, owner: string): unknown {
  if (Array.isArray(schema)) return schema.map((each) => described(each, owner));
  if (typeof schema !== "object" || schema === null) return schema;
  return Object.fromEntries(
    Object.entries(schema).map(([keyword, value]) =>
      keyword === "properties"
        ? [
            keyword,
            Object.fromEntries(
              Object.entries(value as Readonly<Record<string, JsonSchema>>).map(([field, of]) => [
                field,
                { ...(described(of, owner) as JsonSchema), description: descriptionOf(owner, field) },
              ]),
            ),
          ]
        : [keyword, described(value, owner)],
    ),
  );
}
