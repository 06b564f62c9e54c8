import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { FREE_WRITES } from "../../lambda/vendors/stripe/free-writes.ts";
import { ACCOUNT_READS, READ_PARAMS, READS } from "../../lambda/vendors/stripe/reads.ts";

/**
 * Guarantees that every parameter of the free calls of the installed stripe-node versions was looked at: it reaches
 * Stripe, or it is refused for a reason. And that nothing is let through that no version knows.
 */

const VERSIONS = ["stripe-12", "stripe-17", "stripe-22", "stripe"];

/** The fields at the top of an interface. */
function fieldsOf(declarations: string, name: string): string[] {
  const start = new RegExp(`interface ${name}(?:\\s+extends ([^{]*))?\\s*\\{`).exec(declarations);
  if (start === null) throw new Error(`no interface ${name} was found`);
  const found = start[1]?.includes("PaginationParams") ? ["ending_before", "limit", "starting_after"] : [];
  let depth = 1;
  for (const line of declarations.slice(start.index + start[0].length).split("\n")) {
    if (/^\s*(\*|\/\*)/.test(line)) continue;
    const field = /^\s*([a-z_0-9]+)\??:/.exec(line)?.[1];
    if (depth === 1 && field !== undefined) found.push(field);
    depth += (line.match(/\{/g) ?? []).length - (line.match(/\}/g) ?? []).length;
    if (depth <= 0) break;
  }
  return found;
}

/** Every call of a version, as `METHOD /path` with `{id}`, and the parameters that its types declare. */
function parametersOf(version: string): Map<string, Set<string>> {
  const root = join(import.meta.dirname, "../../node_modules", version);
  const resources = join(root, "cjs/resources");
  const parameters = new Map<string, Set<string>>();
  for (const file of readdirSync(resources, { recursive: true, encoding: "utf8" })) {
    if (!file.endsWith(".js")) continue;
    const name = file.slice(0, -".js".length);
    const declarations = [join(resources, `${name}.d.ts`), join(root, "types", `${name}Resource.d.ts`)]
      .filter((path) => existsSync(path))
      .map((path) => readFileSync(path, "utf8"))
      .join("\n");
    for (const [call, method] of methodsIn(readFileSync(join(resources, file), "utf8"))) {
      const found = parameters.get(call) ?? new Set();
      parameters.set(call, found);
      for (const [, args = ""] of declarations.matchAll(new RegExp(`^\\s*${method}\\(([^)]*)\\)`, "gm"))) {
        const type = /params\??:\s*(?:\w+\.)*(\w+)/.exec(args)?.[1];
        if (type !== undefined) for (const field of fieldsOf(declarations, type)) found.add(field);
      }
    }
  }
  return parameters;
}

/** Each call of a resource, and the name of its method. Older versions declare them, newer ones make them. */
function methodsIn(source: string): [call: string, method: string][] {
  const found: [string, string][] = [];
  const add = (method = "", verb = "", path = "") =>
    found.push([`${verb} ${path.replace(/\$?\{[^}]*\}/g, "{id}")}`, method]);
  for (const [, method, verb, path] of source.matchAll(
    /^ {4}(\w+)\([^)]*\) \{(?:(?!^ {4}\})[\s\S])*?_makeRequest\('(\w+)', [`']([^`']+)[`']/gm,
  ))
    add(method, verb, path);
  for (const [, method, verb, path] of source.matchAll(
    /(\w+): stripeMethod\(\{\s*method: '(\w+)',\s*fullPath: '([^']+)'/g,
  ))
    add(method, verb, path);
  return found;
}

const KNOWN = new Map(VERSIONS.map((version) => [version, parametersOf(version)]));

const declaredIn = (version: string, call: string): string[] => [...(KNOWN.get(version)?.get(call) ?? [])];
const declared = (call: string): string[] => VERSIONS.flatMap((version) => declaredIn(version, call));

const AMOUNT_OF_LINE =
  "amount discountable discounts invoicing_rules price price_data pricing quantity quantity_decimal tax_amounts tax_behavior tax_code tax_rates unit_amount unit_amount_decimal";

/** What is left out, by why. */
const REFUSED: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  "gives credit or a discount": {
    "POST /v1/customers": "balance cash_balance coupon promotion_code",
    "POST /v1/customers/{id}": "balance cash_balance coupon promotion_code",
  },
  "may change what is collected already": {
    "POST /v1/prices/{id}": "currency_options",
    "POST /v1/shipping_rates/{id}": "fixed_amount",
  },
  "has what is past due collected at once": {
    "POST /v1/customers/{id}": "default_source source",
  },
  "acts on another account, or for one": {
    "POST /v1/tokens": "account customer person pii",
    "POST /v1/setup_intents": "on_behalf_of",
    "POST /v1/invoices/create_preview": "issuer on_behalf_of",
    "POST /v1/tax_ids": "owner",
  },
  "sets up where the account's own money goes": {
    "POST /v1/setup_intents": "attach_to_self flow_directions",
    "POST /v1/setup_intents/{id}": "attach_to_self flow_directions",
  },
  "lets one payment of an amount be taken without the payer": {
    "POST /v1/setup_intents": "single_use",
  },
  "changes what is collected, by Stripe itself where the invoice is a subscription's": {
    "POST /v1/invoiceitems/{id}": AMOUNT_OF_LINE,
    "POST /v1/invoices/{id}/lines/{id}": AMOUNT_OF_LINE,
    "DELETE /v1/subscriptions/{id}": "invoice_now prorate",
  },
  "takes over what other systems find a price by": {
    "POST /v1/prices": "transfer_lookup_key",
    "POST /v1/prices/{id}": "transfer_lookup_key",
  },
  "lets Stripe argue for a share of the disputed amount": {
    "POST /v1/disputes/{id}": "intended_submission_method",
  },
  "is a parameter of a DELETE, which takes none here": {
    "DELETE /v1/customers/{id}/sources/{id}": "expand",
    "DELETE /v1/subscriptions/{id}": "cancellation_details expand",
  },
};

const refusedOf = (call: string): string[] =>
  Object.values(REFUSED).flatMap((calls) => calls[call]?.split(" ") ?? []);

const listed = FREE_WRITES.flatMap(({ endpoint, fields }) => (fields === null ? [] : [{ endpoint, fields }]));
const reads = [...READS, ...ACCOUNT_READS].map((path) => `GET ${path}`);
/** They act on another account. */
const READ_PARAMS_REFUSED = ["issuer", "on_behalf_of"];

test("the parameters of well-known calls are found in every version", () => {
  for (const version of VERSIONS) {
    expect(declaredIn(version, "POST /v1/customers"), version).toEqual(
      expect.arrayContaining(["balance", "email", "metadata", "source"]),
    );
    expect(declaredIn(version, "POST /v1/setup_intents/{id}/confirm"), version).toContain("mandate_data");
    expect(declaredIn(version, "GET /v1/charges"), version).toEqual(
      expect.arrayContaining(["created", "ending_before", "limit", "transfer_group"]),
    );
  }
});

describe.each(VERSIONS)("every parameter of %s passes or is refused for a reason", (version) => {
  test.each(listed)("$endpoint", ({ endpoint, fields }) => {
    for (const field of declaredIn(version, endpoint))
      expect([...fields, ...refusedOf(endpoint)], field).toContain(field);
  });

  test("queries", () => {
    for (const read of reads)
      for (const field of declaredIn(version, read))
        expect([...READ_PARAMS, ...READ_PARAMS_REFUSED], read).toContain(field);
  });
});

test("what passes is known to some version", () => {
  for (const { endpoint, fields } of listed)
    for (const field of fields) expect(declared(endpoint), endpoint).toContain(field);
  const inReads = new Set(reads.flatMap(declared));
  for (const field of READ_PARAMS) expect([...inReads]).toContain(field);
});

test("what is refused is known to some version, and never passes", () => {
  for (const calls of Object.values(REFUSED)) {
    for (const [endpoint, refused] of Object.entries(calls)) {
      const passed = listed.find((write) => write.endpoint === endpoint)?.fields;
      for (const field of refused.split(" ")) expect(passed, endpoint).not.toContain(field);
      expect(declared(endpoint), endpoint).toEqual(
        expect.arrayContaining(
          refused.split(" ").filter((field) => !AMOUNT_OF_LINE.split(" ").includes(field)),
        ),
      );
    }
  }
  for (const field of READ_PARAMS_REFUSED) expect(READ_PARAMS).not.toContain(field);
});

test("nothing passes twice", () => {
  for (const { endpoint, fields } of FREE_WRITES) {
    expect(new Set(fields).size, endpoint).toBe(fields?.length ?? 0);
  }
  expect(new Set(READ_PARAMS).size).toBe(READ_PARAMS.length);
});
