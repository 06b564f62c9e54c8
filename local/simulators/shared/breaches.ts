/** A request for what the vendor does not serve, on the wire of `GET /books`. */
export interface Breach {
  readonly request_id: string;
  readonly received_ms: number;
  readonly method: string;
  /** Without its query, untouched. */
  readonly path: string;
}

/**
 * What came with the account's own credential though a simulator serves nothing there, oldest first. A simulator knows
 * what a vault key may be let through to, and nothing of the product's own catalog; so each breach is a hole in the
 * product, or an endpoint that a simulator has yet to learn.
 */
export interface Breaches {
  list(): readonly Breach[];
  add(request: { readonly requestId: string; readonly method: string; readonly path: string }): void;
}

export function openBreaches(nowMs: () => number): Breaches {
  const breaches: Breach[] = [];
  return {
    list: () => [...breaches],
    add({ requestId, method, path }) {
      breaches.push({ request_id: requestId, received_ms: nowMs(), method, path });
    },
  };
}
