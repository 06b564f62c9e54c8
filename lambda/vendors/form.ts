import { Problem } from "../domain/problem.ts";
import type { VendorRequest } from "../domain/vendor.ts";

/**
 * A form body, read so strictly that no parser can read it otherwise.
 *
 * Parsers differ on repeated names, on `;` as a separator, on stray brackets and spaces in names, on a body that comes
 * compressed or with parameters in the URL beside it. Each of these could show one amount to us and another to the
 * vendor, so each is refused.
 */
export type Form = ReadonlyMap<string, string>;

/** How a vendor writes the names of its fields, and which of them may be repeated. */
export interface FormStyle {
  readonly name: RegExp;
  readonly repeated: readonly string[];
}

/** No call has more fields. A longer form is refused before it costs time. */
const FIELDS_MAX = 1_000;
const NAME_LENGTH_MAX = 200;

/** Stripe's style: lower case, and brackets for what is nested. */
const BRACKETED: FormStyle = { name: /^[a-z][a-z0-9_]*(\[[^[\]]*\])*$/, repeated: [] };

/** Only names of metadata may have other characters inside brackets, because the caller chooses them. */
const INSIDE = /^[A-Za-z0-9_-]*$/;

/**
 * Where Stripe keeps metadata; `*` is a place in a list. The caller names what is one bracket deep below it, and it
 * moves no money under any name. At the end of any other name, `metadata` means nothing.
 *
 * Source: the parameter types of stripe-node 23.1, read 2026-11-27.
 */
const METADATA = new Set([
  "metadata",
  "invoice_metadata",
  "default_price_data.metadata",
  "invoice_items.*.metadata",
  "lines.*.metadata",
  "lines.*.price_data.product_data.metadata",
  "payment_method_data.metadata",
  "price_data.product_data.metadata",
  "product_data.metadata",
  "schedule_details.phases.*.add_invoice_items.*.metadata",
  "schedule_details.phases.*.items.*.metadata",
  "schedule_details.phases.*.metadata",
  "shipping_cost.shipping_rate_data.metadata",
  "subscription_details.items.*.metadata",
]);

/** Whether a field is metadata, such as `metadata[amount]`: the caller chooses its name and its value. */
export function isMetadata(name: string): boolean {
  const segments = segmentsOf(name);
  const above = segments.slice(0, -1).map((segment) => (/^[0-9]*$/.test(segment) ? "*" : segment));
  return segments.at(-1) !== "" && METADATA.has(above.join("."));
}

/** Whether every parser reads the name in the same way. */
export const isField = (name: string): boolean =>
  name.length <= NAME_LENGTH_MAX && BRACKETED.name.test(name) && hasPlainBrackets(name);

const hasPlainBrackets = (name: string): boolean =>
  isMetadata(name) || segmentsOf(name).every((segment) => INSIDE.test(segment));

/** `lines[0][amount]` as `lines`, `0`, `amount`. */
const segmentsOf = (name: string): readonly string[] => name.replaceAll("]", "").split("[");

/**
 * Reads the parameters of a request with a form body or without a body. Names keep their brackets: `metadata[order]`. A
 * name that may be repeated gets its position after a `#`: `MediaUrl#0`.
 */
export function parseForm(request: VendorRequest, style: FormStyle = BRACKETED): Form | Problem {
  const known = PARSED.get(request);
  if (known?.style === style) return known.form;
  const form = formOf(request, style);
  PARSED.set(request, { style, form });
  return form;
}

/** A call asks for its form several times: for its price, for its limits, and with its answer. */
const PARSED = new WeakMap<VendorRequest, { readonly style: FormStyle; readonly form: Form | Problem }>();

function formOf(request: VendorRequest, style: FormStyle): Form | Problem {
  if (Object.keys(request.query).length > 0)
    return ambiguous("it has a query string as well as a body; send every parameter in the body");
  if ((request.headers["content-encoding"] ?? []).length > 0)
    return ambiguous("the body is compressed; send it uncompressed");
  const text = utf8(request.body);
  if (text === null) return ambiguous("the body is not UTF-8");
  if (text === "") return new Map();

  const types = request.headers["content-type"] ?? [];
  if (
    types.length !== 1 ||
    !/^application\/x-www-form-urlencoded(; ?charset=utf-8)?$/i.test(types[0] ?? "")
  ) {
    return ambiguous(
      "the body is not declared as a form; send Content-Type: application/x-www-form-urlencoded",
    );
  }
  return fieldsOf(text, style);
}

function fieldsOf(text: string, style: FormStyle): Form | Problem {
  const fields = new Map<string, string>();
  const shapes = new Shapes();
  const pairs = text.split("&", FIELDS_MAX + 1);
  if (pairs.length > FIELDS_MAX) return ambiguous(`the body has more than ${FIELDS_MAX} fields`);
  for (const pair of pairs) {
    const at = pair.indexOf("=");
    const name = at < 0 ? null : unescaped(pair.slice(0, at));
    const value = unescaped(pair.slice(at + 1));
    if (name === null || value === null || pair.includes(";") || !isName(name, style)) {
      return ambiguous(
        `the body has the ambiguous field ${JSON.stringify(pair.slice(0, 40).split("=", 1)[0])}; write it as name=value, percent-encoded`,
      );
    }
    const list = name.endsWith("[]") || style.repeated.includes(name);
    if (fields.has(name) && !list) return ambiguous(`the body names ${JSON.stringify(name)} twice`);

    const torn = shapes.conflict(name);
    if (torn !== null)
      return ambiguous(
        `the body uses ${JSON.stringify(torn)} in two ways, with and without brackets, or as a list and by name; use one`,
      );
    fields.set(list ? `${name}#${fields.size}` : name, value);
  }
  return fields;
}

const isName = (name: string, style: FormStyle): boolean =>
  name.length <= NAME_LENGTH_MAX && style.name.test(name) && hasPlainBrackets(name);

/** How each name was used. Parsers differ on a name that is a value in one place and has nested fields in another. */
class Shapes {
  readonly #kinds = new Map<string, "value" | "list" | "names">();

  /** The start of `name` that was used in another way before, or null. */
  conflict(name: string): string | null {
    const segments = segmentsOf(name);
    for (const at of segments.keys()) {
      const prefix = segments.slice(0, at + 1).join("[");
      const next = segments[at + 1];
      const kind = next === undefined ? "value" : next === "" ? "list" : "names";
      if ((this.#kinds.get(prefix) ?? kind) !== kind) return prefix;
      this.#kinds.set(prefix, kind);
    }
    return null;
  }
}

/** The names of all fields of `top`, with and without brackets. */
export const namesUnder = (form: Form, top: string): readonly string[] =>
  [...form.keys()].filter((name) => name === top || name.startsWith(`${top}[`));

/** Reads a whole number: digits without sign, spaces, exponent or leading zeros. Null where the field is missing. */
export function wholeNumber(form: Form, name: string): bigint | null | Problem {
  const names = namesUnder(form, name);
  if (names.length === 0) return null;
  const text = form.get(name) ?? "";
  if (names.length > 1 || !/^(0|[1-9][0-9]{0,11})$/.test(text)) {
    return new Problem(
      "amount_unknown",
      `${name}: got ${JSON.stringify(text.slice(0, 40))}; expected one whole number of the smallest unit, such as 2999 for $29.99`,
    );
  }
  return BigInt(text);
}

export const ambiguous = (why: string) =>
  new Problem("ambiguous_request", `this request can be read in more than one way: ${why}`);

const STRICT_UTF8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

const utf8 = (body: Uint8Array): string | null => {
  try {
    return STRICT_UTF8.decode(body);
  } catch {
    return null;
  }
};

const unescaped = (text: string): string | null => {
  try {
    return decodeURIComponent(text.replaceAll("+", " "));
  } catch {
    return null;
  }
};
