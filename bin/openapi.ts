/**
 * `npm run openapi`: writes lambda/handlers/health.openapi.json, the OpenAPI document that `GET /vault/openapi.json` serves, from the
 * schemas that parse requests. It is kept as a file, so that no function carries what makes it (docs/decisions/0045-openapi.md).
 */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { openApiDocument } from "../lambda/http/openapi/document.ts";

const REPOSITORY = join(import.meta.dirname, "..");

export const OPENAPI_FILE = join(REPOSITORY, "lambda", "handlers", "health.openapi.json");

/** The text of the file. */
export function openApiText(): string {
  const { version } = JSON.parse(readFileSync(join(REPOSITORY, "package.json"), "utf8")) as {
    version: string;
  };
  return `${JSON.stringify(openApiDocument(version), null, 2)}\n`;
}

if (import.meta.main) writeFileSync(OPENAPI_FILE, openApiText());
