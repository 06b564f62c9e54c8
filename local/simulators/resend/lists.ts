import { invalid } from "./errors.ts";

/** One page of a list by `limit`, `after` and `before`. Throws a 422 on a limit that is none and an id not in the list. */
export function listPage<T extends { readonly id: string }>(
  all: readonly T[],
  query: URLSearchParams,
): { readonly items: readonly T[]; readonly hasMore: boolean } {
  const limit = Number(query.get("limit") ?? 20);
  if (!Number.isInteger(limit) || limit < 1 || limit > 100)
    throw invalid("The `limit` parameter must be a number from 1 to 100.");
  const [after, before] = [query.get("after"), query.get("before")];
  const from = after === null ? 0 : indexOf(all, after) + 1;
  const to = before === null ? all.length : indexOf(all, before);
  const range = all.slice(from, to);
  const items = before === null ? range.slice(0, limit) : range.slice(-limit);
  return { items, hasMore: range.length > items.length };
}

function indexOf(all: readonly { readonly id: string }[], id: string): number {
  const index = all.findIndex((item) => item.id === id);
  if (index === -1) throw invalid(`The pagination ID ${id} was not found.`);
  return index;
}
