import { type Account, originOf, type Shelf, type Stored } from "./account.ts";
import type { ApiRequest, Endpoint } from "./endpoint.ts";
import { noSuch } from "./errors.ts";
import { listEndpoint } from "./lists.ts";
import type { WireObject } from "./objects.ts";
import { metadata, NO_PARAMS, names, refuseUnknown } from "./params.ts";

/** One kind of object whose endpoints are alike: `noun` as errors call it, `shelf` where an account keeps it. */
export interface Kind<T extends WireObject> {
  readonly noun: string;
  readonly shelf: (account: Account) => Shelf<T>;
}

/** What is stored under an id. Throws a 404, or the 400 of an id that stands in the parameter `param`. */
export function existing<T>(
  shelf: ReadonlyMap<string, Stored<T>>,
  noun: string,
  id: string,
  param?: string,
): Stored<T> {
  const found = shelf.get(id);
  if (found !== undefined) return found;
  throw noSuch(noun, id, param === undefined ? { param: "id", status: 404 } : { param, status: 400 });
}

/** Keeps a new object that a request made, and gives it back. One that moves no money is counted among those made. */
export function keep<T extends WireObject>(
  shelf: Shelf<T>,
  account: Account,
  { idempotencyKey }: ApiRequest,
  object: T,
): T {
  shelf.set(object.id, { object, origin: originOf(account, idempotencyKey) });
  const { made, others, prices } = account;
  const uncounted: readonly unknown[] = [others, prices];
  if (uncounted.includes(shelf)) made.set(object.object, (made.get(object.object) ?? 0) + 1);
  return object;
}

/** Writes an object anew, and gives it back. */
export function rewrite<T extends WireObject>(shelf: Shelf<T>, stored: Stored<T>, object: T): T {
  shelf.set(object.id, { ...stored, object });
  return object;
}

export const objectsOn = <T>(shelf: ReadonlyMap<string, { readonly object: T }>): T[] =>
  [...shelf.values()].map(({ object }) => object);

export const retrieveEndpoint =
  <T extends WireObject>({ noun, shelf }: Kind<T>): Endpoint =>
  (account, { id, params }) => {
    refuseUnknown(params, NO_PARAMS);
    return () => existing(shelf(account), noun, id).object;
  };

const DESCRIPTION = names("metadata description active nickname name");

/** Changes what describes an object, which has no rule of its own. */
export const describeEndpoint =
  <T extends WireObject>({ noun, shelf }: Kind<T>): Endpoint =>
  (account, { id, params }) => {
    refuseUnknown(params, DESCRIPTION);
    metadata(params, {});
    return () => {
      const stored = existing(shelf(account), noun, id);
      const before = stored.object["metadata"];
      return rewrite(shelf(account), stored, {
        ...stored.object,
        metadata: metadata(params, textsOf(before)),
      });
    };
  };

export const listKind = <T extends WireObject>(
  url: string,
  { shelf }: Pick<Kind<T>, "shelf">,
  filters: readonly (keyof T & string)[],
): Endpoint => listEndpoint<T>(url, (account) => objectsOn(shelf(account)), filters);

function textsOf(value: unknown): Record<string, string> {
  if (typeof value !== "object" || value === null) return {};
  const entries = Object.entries(value);
  return Object.fromEntries(
    entries.filter((entry): entry is [string, string] => typeof entry[1] === "string"),
  );
}
