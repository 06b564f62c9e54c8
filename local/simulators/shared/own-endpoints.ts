import type { Breaches } from "./breaches.ts";
import { type FaultOrders, readFaultOrder } from "./faults.ts";
import type { RequestLog } from "./request-log.ts";

/** An answer of the simulator itself, sent as JSON. */
export interface OwnAnswer {
  readonly status: number;
  readonly body: unknown;
}

/** An endpoint of the simulator itself. `json` is the body: undefined where there is none, null where it is no JSON. */
export type OwnEndpoint = (json: unknown, query: URLSearchParams) => OwnAnswer;

export type OwnEndpoints = Readonly<Record<string, OwnEndpoint>>;

const ok = (body: unknown): OwnAnswer => ({ status: 200, body });

/** A 400 that says what is wrong with what the simulator was told. */
export const refuseOrder = (message: string): OwnAnswer => ({ status: 400, body: { error: { message } } });

/** What a simulator keeps beside the vendor's objects. */
interface Kept {
  /** See VendorApi. */
  readonly books: (query: URLSearchParams) => object | string;
  readonly breaches: Breaches;
  readonly log: RequestLog;
  readonly orders: FaultOrders;
}

/** The endpoints that every simulated vendor has beside its API, by method and path. They need no key. */
export function ownEndpoints({ books, breaches, log, orders }: Kept): OwnEndpoints {
  return {
    "GET /books": (_, query) => {
      const found = books(query);
      return typeof found === "string" ? refuseOrder(found) : ok({ ...found, breaches: breaches.list() });
    },
    "GET /requests": () => ok(log.list()),
    "DELETE /requests": () => {
      log.clear();
      return ok([]);
    },
    "GET /faults": () => ok(orders.list()),
    "DELETE /faults": () => {
      orders.clear();
      return ok([]);
    },
    "POST /faults": (json) => {
      const order = readFaultOrder(json);
      if (typeof order === "string") return refuseOrder(order);
      orders.add(order);
      return ok(orders.list());
    },
  };
}

/** The JSON of a text, or undefined if it is none. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
