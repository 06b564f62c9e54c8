import type { Account, Stored } from "./account.ts";
import type { Endpoint } from "./endpoint.ts";
import { noSuch } from "./errors.ts";
import { listEndpoint } from "./lists.ts";
import type { CreatedObject } from "./objects.ts";
import { metadata, NO_PARAMS, refuseUnknown } from "./params.ts";

/** The endpoints of a kind of object that moves no money: what is the same for all of them. */
export interface OtherKind {
  readonly retrieve: Endpoint;
  readonly list: Endpoint;
  readonly remove: Endpoint;
  readonly describe: Endpoint;
}

export function ofType(type: string, url: string): OtherKind {
  return {
    retrieve: (account, { id, params }) => {
      refuseUnknown(params, NO_PARAMS);
      return () => otherOf(account, type, id).object;
    },
    list: listEndpoint<CreatedObject>(
      url,
      ({ others }) =>
        [...others.values()].map(({ object }) => object).filter(({ object }) => object === type),
      ["customer", "active", "purpose", "payment_method"],
    ),
    remove: (account, { id, params }) => {
      refuseUnknown(params, NO_PARAMS);
      return () => {
        otherOf(account, type, id);
        account.others.delete(id);
        return { id, object: type, deleted: true };
      };
    },
    // Whatever is sent is laid over the object: nothing of it has a rule here.
    describe: (account, { id, params }) => {
      metadata(params, {});
      return () => {
        const stored = otherOf(account, type, id);
        const known = [...params].filter(
          ([name, value]) => typeof value === "string" && name in stored.object,
        );
        return replaceOther(account, stored, { ...stored.object, ...Object.fromEntries(known) });
      };
    },
  };
}

/** What is stored of a kind under an id. Throws a 404. */
export function otherOf({ others }: Account, type: string, id: string): Stored<CreatedObject> {
  const found = others.get(id);
  if (found?.object.object === type) return found;
  throw noSuch(type, id, { param: "id", status: 404 });
}

export function replaceOther(account: Account, stored: Stored<CreatedObject>, object: CreatedObject) {
  account.others.set(object.id, { ...stored, object });
  return object;
}
