import type { Account } from "./account.ts";
import type { Endpoint } from "./endpoint.ts";
import { invalidRequest, noSuch } from "./errors.ts";
import type { List } from "./objects.ts";
import { integer, type Params, refuseUnknown, text } from "./params.ts";

interface Listed {
  readonly id: string;
}

/**
 * A list endpoint: newest first, with Stripe's paging, its `created` filter, and equality on the named `filters`.
 * `objectsOf` may throw, where the object that the list belongs to does not exist.
 */
export function listEndpoint<T extends Listed>(
  url: string | ((id: string) => string),
  objectsOf: (account: Account, id: string) => Iterable<T>,
  filters: readonly (keyof T & string)[],
): Endpoint {
  const known = new Set(["limit", "starting_after", "ending_before", "created", ...filters]);
  return (account, { id, params }) => {
    refuseUnknown(params, known);
    const limit = integer(params, "limit") ?? 10;
    if (limit < 1 || limit > 100)
      throw invalidRequest("Invalid limit: must be between 1 and 100", { param: "limit" });
    const matches = [createdFilter(params), ...filters.map((name) => equalityFilter<T>(params, name))];
    const startingAfter = text(params, "starting_after");
    const endingBefore = text(params, "ending_before");

    return () => {
      const all = [...objectsOf(account, id)]
        .reverse()
        .filter((object) => matches.every((match) => match(object)));
      const from = startingAfter === undefined ? 0 : indexOf(all, startingAfter, "starting_after") + 1;
      const to = endingBefore === undefined ? all.length : indexOf(all, endingBefore, "ending_before");
      const range = all.slice(from, to);
      const data = endingBefore === undefined ? range.slice(0, limit) : range.slice(-limit);
      return {
        object: "list",
        data,
        has_more: range.length > data.length,
        url: typeof url === "string" ? url : url(id),
      };
    };
  };
}

/** The list that stands inside an object: whole, oldest first. */
export function innerList<T>(data: readonly T[], url: string): List<T> {
  return { object: "list", data, has_more: false, url };
}

function equalityFilter<T extends Listed>(params: Params, name: keyof T & string): (object: T) => boolean {
  const value = text(params, name);
  return value === undefined ? () => true : (object) => object[name] === value;
}

/** `created=<s>`, or `created[gte]`, `[gt]`, `[lte]`, `[lt]`. */
function createdFilter(params: Params): (object: Listed) => boolean {
  const sent = params.get("created");
  if (sent === undefined) return () => true;
  if (typeof sent === "string") {
    const second = integer(params, "created");
    return (object) => createdS(object) === second;
  }
  refuseUnknown(sent, new Set(["gt", "gte", "lt", "lte"]));
  const [gt, gte] = [integer(sent, "gt") ?? -Infinity, integer(sent, "gte") ?? -Infinity];
  const [lt, lte] = [integer(sent, "lt") ?? Infinity, integer(sent, "lte") ?? Infinity];
  return (object) => {
    const created = createdS(object);
    return created > gt && created >= gte && created < lt && created <= lte;
  };
}

/** When an object was made; an invoice item calls it its `date`, and a line of an invoice has none. */
function createdS(object: Listed): number {
  if ("created" in object && typeof object.created === "number") return object.created;
  return "date" in object && typeof object.date === "number" ? object.date : 0;
}

function indexOf(objects: readonly Listed[], id: string, param: string): number {
  const index = objects.findIndex((object) => object.id === id);
  if (index === -1) throw noSuch("object", id, { param, status: 400 });
  return index;
}
