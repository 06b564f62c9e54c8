import { existsSync, readFileSync } from "node:fs";
import { dirname, join, posix } from "node:path";
import { expect, test } from "vitest";
import { STATUS_BY_CODE } from "../../lambda/domain/denial.ts";
import { stripe } from "../../lambda/vendors/stripe.ts";
import { GATEWAY_RESPONSE_TYPES, gatewayResponseOf } from "../../lib/gateway-responses.ts";
import { parseSettings } from "../../lib/local/settings.ts";
import { ROUTES } from "../../lib/routes.ts";
import { anchorsOf, codeBlocks, documents, proseOf, REPOSITORY, tableUnder, textOf } from "./markdown.ts";

const linksOf = (text: string) =>
  [...proseOf(text).matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = ""]) => target);

const word = (cell = "") => cell.replaceAll("`", "");

test.each(documents())("every relative link in %s leads somewhere", (document) => {
  const broken = linksOf(textOf(document)).filter((target) => {
    if (/^https?:/.test(target)) return false;
    const [path = "", anchor] = target.split("#");
    const linked = path === "" ? document : posix.join(dirname(document), path);
    if (!existsSync(join(REPOSITORY, linked))) return true;
    return anchor !== undefined && !anchorsOf(textOf(linked)).has(anchor);
  });

  expect(broken).toEqual([]);
});

test.each(documents())("every JSON example in %s is JSON", (document) => {
  for (const { language, code, heading } of codeBlocks(textOf(document))) {
    if (language === "json") expect(() => JSON.parse(code), heading).not.toThrow();
  }
});

test("the table of codes has every code of a denial with its status, and no other", () => {
  const rows = tableUnder(textOf("docs/errors.md"), "## Codes");

  expect(Object.fromEntries(rows.map(([code, status]) => [word(code), Number(status)]))).toEqual(
    STATUS_BY_CODE,
  );
  expect(rows).toHaveLength(Object.keys(STATUS_BY_CODE).length);
});

test("the table of the gateway's codes has what the gateway answers", () => {
  const rows = tableUnder(textOf("docs/errors.md"), "## Codes of the gateway");
  const answered = GATEWAY_RESPONSE_TYPES.map((type) => {
    const { status, template } = gatewayResponseOf(type);
    const { error } = JSON.parse(template) as { error: { code: string; charged: string } };
    return [error.code, `${status}`, error.charged];
  });

  expect(rows.map((cells) => cells.map(word))).toEqual(answered);
});

test("every endpoint has a heading in the API's document, and every heading an endpoint", () => {
  const headings = [...textOf("docs/api.md").matchAll(/^### `(\S+ \S+)`$/gm)].map(([, name]) => name);

  expect(headings.toSorted()).toEqual(ROUTES.map(({ method, path }) => `${method} ${path}`).toSorted());
});

test("Stripe's catalog in the documents is the one in the code", () => {
  const rows = tableUnder(textOf("docs/vendors.md"), "### Catalog").flatMap(([endpoints = "", kind]) =>
    [...endpoints.matchAll(/`([^`]+)`/g)].map(([, endpoint]) => `${kind} ${endpoint}`),
  );
  const catalog = stripe.catalog.map(({ method, path, rule }) => `${rule.kind} ${method} ${path}`);

  expect(rows.toSorted()).toEqual(catalog.toSorted());
});

test("the README's variables are those that the local run reads", () => {
  const read: string[] = [];
  parseSettings(
    new Proxy<Record<string, string | undefined>>(
      {},
      {
        get: (_, name) => {
          read.push(String(name));
          return undefined;
        },
      },
    ),
  );
  const rows = tableUnder(textOf("README.md"), "## Environment variables");

  expect(rows.map(([name]) => word(name)).toSorted()).toEqual(read.toSorted());
});

test("every dependency has its reason, and every reason its dependency", () => {
  const manifest = JSON.parse(readFileSync(join(REPOSITORY, "package.json"), "utf8"));
  const { dependencies, devDependencies, optionalDependencies } = manifest;
  const installed = Object.keys({ ...dependencies, ...devDependencies, ...optionalDependencies });
  const [, tables = ""] = textOf("docs/decisions/0001-few-dependencies.md").split("**What.**");
  const explained = [...tables.matchAll(/^\| (`[^|]*) \|/gm)].flatMap(([, names = ""]) =>
    [...names.matchAll(/`([^`]+)`/g)].map(([, name = ""]) => name),
  );

  expect(new Set(explained)).toEqual(
    new Set(installed.map((name) => name.replace(/^@dynoxide\/.*$/, "@dynoxide/..."))),
  );
});
