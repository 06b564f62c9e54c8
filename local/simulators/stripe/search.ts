import type { Account } from "./account.ts";
import type { Endpoint } from "./endpoint.ts";
import { invalidRequest, LACKED, type StripeError } from "./errors.ts";
import { integer, names, refuseUnknown, required, text } from "./params.ts";

/** What a search may ask of an object: the last of a path's names decides, `metadata` stands for each of its keys. */
export interface SearchFields {
  /** Compared by `:` and, without regard to case, by `~` for a part of three characters or more. */
  readonly texts: readonly string[];
  /** Compared by `:`, `>`, `>=`, `<`, `<=`. */
  readonly numbers: readonly string[];
  /** Compared by `:` alone. */
  readonly words: readonly string[];
}

type Test = (object: object) => boolean;

const PARAMS = names("limit page query");
const CLAUSES_MAX = 10;
const PART_CHARACTERS_MIN = 3;

/** A field with a key in brackets or none, an operator, and a value in quotes or without them. */
const CLAUSE =
  /^(?<not>-?)(?<field>[a-z0-9_.]+)(?:\[(?<keyQuote>["'])(?<key>(?:\\.|(?!\k<keyQuote>)[^\\])*)\k<keyQuote>\])?(?<operator>:|~|>=|<=|>|<)(?:(?<quote>["'])(?<quoted>(?:\\.|(?!\k<quote>)[^\\])*)\k<quote>|(?<bare>[^\s"']+))(?=\s|$)/;

/**
 * A search endpoint: newest first, with pages whose `page` is where the last one ended.
 *
 * Stripe's query language (docs.stripe.com/search, read 2026-11-27): clauses that are all joined by `AND`, which a
 * space also means, or all by `OR`; `-` denies one; `null` is a field that is not there. A query, a field or an
 * operator that is not known here is a 400. At Stripe an object is found within a minute, here at once.
 */
export function searchEndpoint(
  url: string,
  objectsOf: (account: Account) => readonly { readonly id: string }[],
  fields: SearchFields,
): Endpoint {
  return (account, { params }) => {
    refuseUnknown(params, PARAMS);
    const limit = integer(params, "limit") ?? 10;
    if (limit < 1 || limit > 100)
      throw invalidRequest("Invalid limit: must be between 1 and 100", { param: "limit" });
    const matches = readQuery(required(text(params, "query"), "query"), fields);
    const page = text(params, "page");
    if (page !== undefined && !/^\d{1,9}$/.test(page))
      throw invalidRequest(`Invalid page: ${page}`, { param: "page" });
    const start = Number(page ?? 0);

    return () => {
      const found = objectsOf(account).toReversed().filter(matches);
      const end = start + limit;
      const hasMore = end < found.length;
      return {
        object: "search_result",
        data: found.slice(start, end),
        has_more: hasMore,
        next_page: hasMore ? `${end}` : null,
        url,
      };
    };
  };
}

/** Whether an object matches the query. Throws a 400 where it cannot be read. */
function readQuery(query: string, fields: SearchFields): Test {
  const tests: Test[] = [];
  const joints = new Set<string>();
  let rest = query.trim();
  while (rest !== "") {
    const found = CLAUSE.exec(rest);
    if (found?.groups === undefined) throw unreadable(`from "${rest.slice(0, 40)}" on`);
    tests.push(testOf(found.groups, fields));
    rest = rest.slice(found[0].length).trimStart();
    if (rest === "") break;
    const joint = /^(AND|OR)\s+(?=\S)/i.exec(rest);
    joints.add(joint?.[1]?.toUpperCase() ?? "AND");
    rest = rest.slice(joint?.[0].length ?? 0);
  }
  if (joints.size > 1) throw unreadable("AND and OR cannot stand in one query");
  if (tests.length > CLAUSES_MAX) throw unreadable(`it has more than ${CLAUSES_MAX} clauses`);
  return joints.has("OR")
    ? (object) => tests.some((test) => test(object))
    : (object) => tests.every((test) => test(object));
}

function testOf(clause: Readonly<Record<string, string | undefined>>, fields: SearchFields): Test {
  const { field = "", operator = "", quoted, bare } = clause;
  const key = clause["key"] === undefined ? undefined : unescaped(clause["key"]);
  if ((field === "metadata") !== (key !== undefined))
    throw unreadable(`metadata has a key: metadata["order"]`);
  const path = key === undefined ? field.split(".") : ["metadata", key];
  const test = comparison(operator, quoted === undefined ? bare : unescaped(quoted), bare, field, fields);
  const isDenied = clause["not"] === "-";
  return (object) => test(valueAt(object, path)) !== isDenied;
}

function comparison(
  operator: string,
  value = "",
  bare: string | undefined,
  field: string,
  { texts, numbers, words }: SearchFields,
): (found: unknown) => boolean {
  const isText = field === "metadata" || texts.includes(field);
  const isNumber = numbers.includes(field);
  if (!isText && !isNumber && !words.includes(field))
    throw unreadable(`${field} is not a field that can be searched`);

  if (bare?.toLowerCase() === "null" && operator === ":")
    return (found) => found === undefined || found === null;
  if (operator === ":" && !isNumber) return (found) => sameText(found, value);
  if (operator === "~" && isText) {
    if (value.length < PART_CHARACTERS_MIN)
      throw unreadable(`the part of ${field} has fewer than ${PART_CHARACTERS_MIN} characters`);
    return (found) => typeof found === "string" && found.toLowerCase().includes(value.toLowerCase());
  }
  if (!isNumber || operator === "~") throw unreadable(`${field} cannot be compared by ${operator}`);
  if (!/^-?\d{1,15}$/.test(value)) throw unreadable(`${field} is a number, got ${value}`);
  const number = Number(value);
  return (found) => typeof found === "number" && compared(found, operator, number);
}

function compared(found: number, operator: string, number: number): boolean {
  switch (operator) {
    case ">":
      return found > number;
    case ">=":
      return found >= number;
    case "<":
      return found < number;
    case "<=":
      return found <= number;
    default:
      return found === number;
  }
}

const sameText = (found: unknown, value: string): boolean =>
  (typeof found === "string" || typeof found === "boolean") &&
  `${found}`.toLowerCase() === value.toLowerCase();

function valueAt(object: unknown, path: readonly string[]): unknown {
  return path.reduce<unknown>(
    (value, name) =>
      typeof value === "object" && value !== null && Object.hasOwn(value, name)
        ? Object.getOwnPropertyDescriptor(value, name)?.value
        : undefined,
    object,
  );
}

const unescaped = (quoted: string): string => quoted.replace(/\\(.)/g, "$1");

const unreadable = (why: string): StripeError =>
  invalidRequest(`We were unable to parse your search query: ${why}. ${LACKED}`, { param: "query" });
