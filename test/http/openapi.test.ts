import { readFileSync } from "node:fs";
import { Validator } from "@seriousme/openapi-schema-validator";
import { describe, expect, test } from "vitest";
import { OPENAPI_FILE, openApiText } from "../../bin/openapi.ts";
import { parseDuration } from "../../lambda/domain/time.ts";
import { GATEWAY_RESPONSE_TYPES, gatewayResponseOf } from "../../lib/gateway-responses.ts";
import { at } from "../support/json.ts";
import { OpenApi } from "../support/openapi.ts";
import { ROUTES } from "../support/routes.ts";

/** Guarantees that the OpenAPI document is one, is made of the sources as they are, and has every route. */

const document = JSON.parse(readFileSync(OPENAPI_FILE, "utf8"));
const openApi = new OpenApi(document);

test("the document is the one that the sources make: npm run openapi writes it", () => {
  expect(readFileSync(OPENAPI_FILE, "utf8")).toBe(openApiText());
});

test("it is valid OpenAPI 3.1", async () => {
  const validator = new Validator();
  const { valid, errors } = await validator.validate(document);
  expect([valid, errors, validator.version]).toEqual([true, undefined, "3.1"]);
});

test("it has every route but the proxy, the root and the dashboard's page, and no other", () => {
  const isPage = ({ method, path }: { readonly method: string; readonly path: string }) =>
    method === "GET" && ["/", "/dashboard", "/dashboard/{file}"].includes(path);
  const own = ROUTES.filter((route) => route.function !== "proxy-call" && !isPage(route));
  expect(openApi.operations.map(({ method, path }) => `${method} ${path}`).toSorted()).toEqual(
    own.map(({ method, path }) => `${method} ${path}`).toSorted(),
  );
});

describe.each(openApi.operations)("$id", ({ id, operation, path }) => {
  test("asks for a key where its path does, and names each part of its path", () => {
    const needsNone = ["getHealth", "getOpenApi", "signIn", "signOut"].includes(id);
    expect(at(operation, "security")).toHaveLength(
      needsNone ? 0 : path === "/vault/keys" && "requestBody" in operation ? 2 : 1,
    );
    const named = ((at(operation, "parameters") ?? []) as { in: string; name: string }[])
      .filter((parameter) => parameter.in === "path")
      .map(({ name }) => `{${name}}`);
    expect(path.match(/\{\w+\}/g) ?? []).toEqual(named);
  });

  const bodies = [at(operation, "requestBody"), ...Object.values(at(operation, "responses") as object)];
  test.each(bodies.flatMap((body) => examplesIn(body)))(
    "has examples that its schemas accept: $name",
    ({ schema, value }) => {
      expect(openApi.problems(schema, value)).toEqual([]);
    },
  );

  test("has an example of its answer, and of its body", () => {
    const hasBody = "requestBody" in operation;
    expect(examplesIn(at(operation, "requestBody")).length > 0).toBe(hasBody);
    expect(bodies.slice(1).flatMap(examplesIn).length).toBeGreaterThan(0);
  });
});

function examplesIn(body: unknown): { name: string; schema: unknown; value: unknown }[] {
  const content = at(body, "content", "application/json");
  return Object.entries((at(content, "examples") ?? {}) as object).map(([name, example]) => ({
    name,
    schema: at(content, "schema"),
    value: at(example, "value"),
  }));
}

test.each(GATEWAY_RESPONSE_TYPES)("its default answer is that of the gateway: %s", (type) => {
  const schema = { $ref: "#/components/schemas/GatewayError" };
  expect(openApi.problems(schema, JSON.parse(gatewayResponseOf(type).template))).toEqual([]);
});

test("durations are described as they are read", () => {
  const { pattern } = document.components.schemas.ChangeKey.properties.expires_in;
  const days30 = 30 * 86_400;
  const accepted = (text: string) => (parseDuration(text) ?? days30 + 1) <= days30;
  const counts = [
    0, 1, 9, 10, 29, 30, 31, 99, 100, 719, 720, 721, 999, 1e3, 43_199, 43_200, 43_201, 99_999, 1e5,
  ];
  const seconds = [
    999_999, 1e6, 1_999_999, 2e6, 2_499_999, 2_589_999, 2_591_999, 2_592_000, 2_592_001, 2_600_000,
  ];
  const texts = [...counts, ...seconds].flatMap((count) =>
    ["s", "m", "h", "d"].map((unit) => `${count}${unit}`),
  );
  for (const text of [...texts, "", "m", "05m", "5", "5w", "-5m", "1.5h", " 5m"])
    expect([text, new RegExp(pattern).test(text)]).toEqual([text, accepted(text)]);
});
