import type { Result } from "./endpoint.ts";
import { invalid } from "./errors.ts";

const SIZE_DEFAULT = 50;
const SIZE_MAX = 1000;

interface Page<T> {
  readonly items: readonly T[];
  readonly number: number;
  readonly size: number;
  /** Of the page after this one and of the one before it: the token names the item they adjoin. */
  readonly nextToken: string | null;
  readonly previousToken: string | null;
}

interface Listed {
  readonly sid: string;
}

/** A page of the 2010 API: its links are relative, and carry the filters on. */
export function listResult<T extends Listed>(
  key: string,
  all: readonly T[],
  { path, query }: { readonly path: string; readonly query: URLSearchParams },
  show: (item: T) => object,
): Result {
  const page = pageOf(all, query);
  const start = page.number * page.size;
  const link = linkTo(path, query, page.size);
  return {
    status: 200,
    element: "",
    body: {
      first_page_uri: link(0, null),
      end: Math.max(start, start + page.items.length - 1),
      previous_page_uri: page.previousToken === null ? null : link(page.number - 1, page.previousToken),
      [key]: page.items.map(show),
      uri: link(page.number, query.get("PageToken")),
      page_size: page.size,
      start,
      next_page_uri: page.nextToken === null ? null : link(page.number + 1, page.nextToken),
      page: page.number,
    },
  };
}

/** A page of a newer API: its links are absolute, and lead to the real host whoever asked. */
export function metaListResult<T extends Listed>(
  key: string,
  all: readonly T[],
  { host, path, query }: { readonly host: string; readonly path: string; readonly query: URLSearchParams },
  show: (item: T) => object,
): Result {
  const page = pageOf(all, query);
  const link = linkTo(`https://${host}${path}`, query, page.size);
  return {
    status: 200,
    element: "",
    body: {
      meta: {
        page: page.number,
        page_size: page.size,
        first_page_url: link(0, null),
        previous_page_url: page.previousToken === null ? null : link(page.number - 1, page.previousToken),
        url: link(page.number, query.get("PageToken")),
        next_page_url: page.nextToken === null ? null : link(page.number + 1, page.nextToken),
        key,
      },
      [key]: page.items.map(show),
    },
  };
}

/** `PA` and a sid is the token of the page after that item, `PB` of the one before it. */
function pageOf<T extends Listed>(all: readonly T[], query: URLSearchParams): Page<T> {
  const size = Math.min(wholeOf(query, "PageSize", SIZE_DEFAULT), SIZE_MAX);
  const number = wholeOf(query, "Page", 0);
  if (size < 1) throw invalid(20001, "Page size must be greater than 0");
  const start = startOf(all, query.get("PageToken"), size, number);
  const items = all.slice(start, start + size);
  const [first, last] = [items.at(0), items.at(-1)];
  return {
    items,
    number,
    size,
    nextToken: last === undefined || start + size >= all.length ? null : `PA${last.sid}`,
    previousToken: first === undefined || start === 0 ? null : `PB${first.sid}`,
  };
}

function startOf(all: readonly Listed[], token: string | null, size: number, page: number): number {
  if (token === null) return page * size;
  const index = all.findIndex(({ sid }) => sid === token.slice(2));
  if (index === -1) throw invalid(20006, "Invalid PageToken");
  return token.startsWith("PB") ? Math.max(0, index - size) : index + 1;
}

function wholeOf(query: URLSearchParams, name: string, fallback: number): number {
  const text = query.get(name) || String(fallback);
  if (!/^\d{1,9}$/.test(text)) throw invalid(20001, `Invalid ${name}: ${text}`);
  return Number(text);
}

function linkTo(base: string, query: URLSearchParams, size: number) {
  const filters = [...query].filter(([name]) => !["PageSize", "Page", "PageToken"].includes(name));
  return (page: number, token: string | null): string => {
    const params = new URLSearchParams(filters);
    params.set("PageSize", String(size));
    params.set("Page", String(page));
    if (token !== null) params.set("PageToken", token);
    return `${base}?${params}`;
  };
}
