import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, posix } from "node:path";
import { expect, test } from "vitest";
import { STATUS_BY_CODE } from "../../lambda/domain/problem.ts";
import { rateCardFields } from "../../lambda/rate-card-input.ts";
import { vendorRegistry } from "../../lambda/vendors/index.ts";
import { GATEWAY_RESPONSE_TYPES, gatewayResponseOf } from "../../lib/gateway-responses.ts";
import { parseSettings } from "../../local/settings.ts";
import { ROUTES } from "../support/routes.ts";
import { anchorsOf, codeBlocks, documents, proseOf, REPOSITORY, tableUnder, textOf } from "./markdown.ts";

/** Guarantees that links of the documents lead somewhere, and that their tables match the code. */

const linksOf = (text: string) =>
  [...proseOf(text).matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = ""]) => target);

/** What a cell says, without the marks of code and of a link. */
const word = (cell = "") => cell.replace(/^\[(.*)\]\(.*\)$/, "$1").replaceAll("`", "");

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

const VENDORS = vendorRegistry();

/** In its page Twilio's longest prefix is written as three dots. */
const TWILIO_ACCOUNT = "/2010-04-01/Accounts/{account}";

test.each(VENDORS.all)(
  "every endpoint of $name that costs has a row in its page, and no other",
  ({ name, catalog }) => {
    const rows = tableUnder(textOf(`docs/vendors/${name}.md`), "## Catalog").filter(
      ([, kind]) => kind === "priced",
    );
    const written = rows.flatMap(([endpoints = ""]) =>
      [...endpoints.matchAll(/`([^`]+)`/g)].map(([, endpoint = ""]) => endpoint.replace("…", TWILIO_ACCOUNT)),
    );
    const priced = catalog.filter(({ rule }) => rule.kind === "priced");

    expect(written.toSorted()).toEqual(priced.map(({ method, path }) => `${method} ${path}`).toSorted());
  },
);

test("the page over all vendors links to each of them", () => {
  const links = linksOf(textOf("docs/vendors.md"));

  for (const name of VENDORS.names) expect(links).toContain(`vendors/${name}.md`);
});

test("every price that can be configured stands in the page of prices, and no other", () => {
  const rows = tableUnder(textOf("docs/vendors.md"), "### Currencies and prices");
  const items = VENDORS.all.flatMap(({ name, prices }) =>
    Object.keys(prices).map((item) => `${name}.${item}`),
  );

  expect(rows.map(([item]) => word(item)).toSorted()).toEqual(items.toSorted());
});

test("what makes the rate card stands among its fields", () => {
  const fields = tableUnder(textOf("docs/deploying.md"), "## Configuration").map(([field]) => word(field));

  expect(fields).toEqual(expect.arrayContaining(Object.keys(rateCardFields(VENDORS.all))));
});

test("every limit inside a call stands in the API's document, with the vendors that have it", () => {
  const limits = new Set(VENDORS.all.flatMap((vendor) => vendor.limits));
  const [, issue = ""] = textOf("docs/api.md").split("### `POST /vault/keys`\n");
  const fields = tableUnder(textOf("docs/api.md"), "### `POST /vault/keys`").map(([field]) => word(field));
  const rows = tableUnder(textOf("docs/vendors.md"), "### Limits inside a call");
  const limitsAt = (vendor: string) =>
    rows
      .filter(([, , at = ""]) => at.toLowerCase().split(", ").includes(vendor))
      .map(([limit]) => word(limit));

  expect(fields).toEqual(expect.arrayContaining([...limits]));
  for (const limit of limits) expect(issue).toContain(`"${limit}"`);
  for (const vendor of VENDORS.all) expect(limitsAt(vendor.name)).toEqual(vendor.limits);
  expect(new Set(rows.map(([limit]) => word(limit)))).toEqual(limits);
});

test("the README's variables are those that the local run reads", () => {
  const read = new Set<string>();
  parseSettings(
    new Proxy<Record<string, string | undefined>>(
      {},
      {
        get: (_, name) => {
          read.add(String(name));
          return undefined;
        },
      },
    ),
  );
  const rows = tableUnder(textOf("README.md"), "## Environment variables");

  expect(rows.map(([name]) => word(name)).toSorted()).toEqual([...read].toSorted());
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

test("the configured vendor of the README is the one of the examples", () => {
  const [definition] = codeBlocks(textOf("README.md")).filter(
    ({ heading }) => heading === "Any other HTTP API",
  );

  expect(definition?.code).toBe(textOf("examples/vendors/images.json").trimEnd());
});

test("every end-to-end suite has a row in the page of tests, and no other", () => {
  const rows = tableUnder(textOf("docs/testing.md"), "## End to end");
  const suites = readdirSync(join(REPOSITORY, "test/e2e"))
    .filter((file) => file.endsWith(".test.ts"))
    .map((file) => file.replace(".test.ts", ""));

  expect(rows.flatMap(([names = ""]) => word(names).split(", ")).toSorted()).toEqual(suites.toSorted());
});
