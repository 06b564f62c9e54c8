import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { Endpoint } from "../../lambda/domain/vendor.ts";
import { endpointOf } from "../../lambda/vendors/catalog-entry.ts";
import { EMAIL_FIELDS } from "../../lambda/vendors/resend/emails.ts";
import { resend } from "../../lambda/vendors/resend/resend.ts";
import { tableUnder, textOf } from "../docs/markdown.ts";

/**
 * Guarantees that every path of the installed resend-node versions was looked at: it is priced, free or denied for a
 * reason. So a new version of the SDK cannot bring an endpoint that sends or leaks unseen.
 */

const VERSIONS = ["resend-2", "resend-4", "resend-6", "resend"];

const sourceOf = (version: string): string =>
  readFileSync(join(import.meta.dirname, "../../node_modules", version, "dist/index.mjs"), "utf8");

const ID = "id-1";

/** A path with every placeholder filled in, however deep its braces are; one that fills no segment is a query. */
function filled(template: string): string {
  let path = "";
  let depth = 0;
  for (const [at, character] of [...template].entries()) {
    if (depth === 0 && character === "$") {
      if (!path.endsWith("/")) break;
      path += ID;
    } else if (character === "{") depth++;
    else if (character === "}") depth--;
    else if (depth === 0) path += character;
    if (depth === 0 && template[at + 1] === "?") break;
  }
  return path;
}

interface Call {
  readonly method: string;
  readonly path: string;
}

const VERB = "resend\\.(get|post|put|patch|delete)\\(\\s*";
const LITERAL = '(["`])(\\/.*?)\\2';

/** What the SDK calls: a path that stands in a call has its method; one that is built before is that of a GET. */
function callsOf(version: string): readonly Call[] {
  const text = sourceOf(version).replaceAll(/\$\{inboxPath\}/g, `/inboxes/${ID}`);
  const direct = [...text.matchAll(new RegExp(VERB + LITERAL, "g"))].map(([, method = "", , path = ""]) => ({
    method: method.toUpperCase(),
    path: filled(path),
  }));
  const built = [...text.matchAll(/(?:Url\(|url = |path = [^;]*?|\? |: )(["`])(\/[a-z].*?)\1/g)].map(
    ([, , path = ""]) => ({ method: "GET", path: filled(path) }),
  );
  return [...new Map([...direct, ...built].map((call) => [`${call.method} ${call.path}`, call])).values()];
}

const countOf = (version: string, pattern: string): number =>
  [...sourceOf(version).matchAll(new RegExp(pattern, "g"))].length;

const ruleOf = (method: string, path: string): Endpoint["rule"] | null =>
  endpointOf(resend, method, path)?.rule ?? null;

describe.each(VERSIONS)("%s", (version) => {
  const calls = callsOf(version);

  test("is read as a whole: every call names its path, or is a GET whose path is built before", () => {
    const literal = countOf(version, VERB + LITERAL);
    const built = countOf(version, "resend\\.get\\((url|path)\\b");
    const inbox = countOf(version, `${VERB}\`\\$\\{inboxPath\\}`);

    expect(literal + built + inbox).toBe(countOf(version, VERB));
    expect(literal).toBeGreaterThanOrEqual(20);
  });

  test.each(calls)("$method $path has an entry in the catalog", ({ method, path }) => {
    expect(ruleOf(method, path)).not.toBeNull();
  });

  test("writes nothing for free but what a scheduled e-mail's time is", () => {
    const free = calls.filter(
      ({ method, path }) => method !== "GET" && ruleOf(method, path)?.kind === "free",
    );
    for (const { method, path } of free)
      expect([`PATCH /emails/${ID}`, `POST /emails/${ID}/cancel`]).toContain(`${method} ${path}`);
  });

  test("sends only fields of an e-mail that are listed", () => {
    const [, body] = /function parseEmailToApiOptions\(email\) \{\s*return \{([\s\S]*?)\n\t?\s*\};/.exec(
      sourceOf(version),
    ) ?? [undefined, ""];
    const sent = [...body.matchAll(/^(?:\t{2}|\s{4})([a-z_]+):/gm)].map(([, name = ""]) => name);
    // The oldest version sends the options as they are; its type declares their names.
    if (version !== "resend-2") expect(sent.length).toBeGreaterThanOrEqual(12);
    for (const name of sent) expect(EMAIL_FIELDS).toContain(name);
  });
});

test("the oldest version, which sends its options as they are, declares only fields that are listed", () => {
  const declared = readFileSync(
    join(import.meta.dirname, "../../node_modules/resend-2/dist/index.d.ts"),
    "utf8",
  );
  const [, body = ""] = /interface CreateEmailBaseOptions extends \w+ \{([\s\S]*?)\n\}/.exec(declared) ?? [];
  const names = [...body.matchAll(/^ {4}(\w+)\??:/gm)].map(([, name = ""]) => name);

  expect(names).toHaveLength(9);
  for (const name of names) expect(EMAIL_FIELDS).toContain(name);
});

describe("the order of the catalog", () => {
  test.each([
    ["POST", "/emails/batch", "priced"],
    ["POST", "/emails", "priced"],
    ["GET", "/emails/metrics", "free"],
    ["GET", "/emails/receiving", "free"],
    ["GET", `/emails/receiving/${ID}`, "free"],
    ["GET", "/contacts/imports", "free"],
    ["GET", "/contacts/ann@example.com", "free"],
    ["GET", "/templates/welcome", "free"],
    ["GET", `/domains/${ID}`, "free"],
    ["GET", `/domains/${ID}/claim`, "denied"],
    ["POST", "/contacts/imports", "denied"],
    ["POST", `/emails/${ID}/share`, "denied"],
    ["GET", "/api-keys", "denied"],
    ["GET", "/webhooks", "denied"],
    ["GET", `/logs/${ID}`, "denied"],
    ["POST", `/broadcasts/${ID}/send`, "denied"],
    ["POST", "/events/send", "denied"],
    ["POST", "/suppressions/batch/remove", "denied"],
  ])("%s %s is %s", (method, path, kind) => {
    expect(ruleOf(method, path)?.kind).toBe(kind);
  });

  test.each([
    ["PATCH", "/emails/batch"],
    ["POST", "/emails/batch/cancel"],
    ["POST", "/emails/receiving/cancel"],
    ["GET", "/emails/batch"],
    ["PUT", "/emails"],
    ["DELETE", `/emails/${ID}`],
    ["POST", `/emails/receiving/${ID}`],
    ["POST", `/emails/${ID}/forward`],
    ["GET", `/emails/${ID}x${"0".repeat(60)}`],
    ["GET", "/emails/a_1"],
    ["POST", "/email"],
  ])("%s %s is in no entry: a word that is a path of its own is no id", (method, path) => {
    expect(ruleOf(method, path)).toBeNull();
  });
});

test("every denial says why, as the end of a sentence", () => {
  for (const { rule } of resend.catalog)
    if (rule.kind === "denied") expect(rule.reason).toMatch(/^[a-z].{20,}[^.]$/);
});

describe("the document says what the catalog says", () => {
  const rows = tableUnder(textOf("docs/vendors/resend.md"), "## Catalog");
  const named = (cell = "") => [...cell.matchAll(/`([^`]+)`/g)].map(([, name = ""]) => name);

  test("of what is priced or free", () => {
    const written = rows.flatMap(([endpoints, kind]) =>
      kind === "priced" || kind === "free" ? named(endpoints).map((endpoint) => `${kind} ${endpoint}`) : [],
    );
    const callable = resend.catalog.filter(({ rule }) => rule.kind !== "denied");

    expect(written.toSorted()).toEqual(
      callable.map(({ method, path, rule }) => `${rule.kind} ${method} ${path}`).toSorted(),
    );
  });

  test("of what is denied", () => {
    const written = rows.flatMap(([endpoints, , ...more]) => (more.length === 0 ? named(endpoints) : []));
    const denied = resend.catalog.filter(({ path, rule }) => rule.kind === "denied" && !path.endsWith("/**"));

    expect(written.toSorted()).toEqual(denied.map(({ path }) => path).toSorted());
  });
});
