import {
  befalls,
  DEFAULT_SLOW_MS,
  FAULT_KINDS,
  type Fault,
  type FaultedRequest,
  type FaultOrders,
  faultKind,
} from "../shared/faults.ts";
import { invalidRequest } from "./errors.ts";
import { hash, type Params, text } from "./params.ts";

export interface Faults {
  /** The fault that befalls a request: the one in its own metadata, else the oldest order that matches. */
  take(request: FaultedRequest & { readonly params: Params }): Fault | null;
}

/** Adds to the standing orders the fault that a request asks for itself. */
export function openFaults(orders: FaultOrders): Faults {
  const keysFaulted = new Set<string>();
  return {
    take(request) {
      const own = faultInMetadata(request.params);
      if (own === null || !befalls(own, request) || keysFaulted.has(request.idempotencyKey ?? ""))
        return orders.take(request);
      if (request.idempotencyKey !== null) keysFaulted.add(request.idempotencyKey);
      return own;
    },
  };
}

/**
 * The fault a request asks for itself, for a quick try by hand: `metadata[keybrake_fault]=break_after`, and for `slow`
 * also `metadata[keybrake_fault_ms]=3000`. It befalls the first request of an idempotency key only, so that a retry
 * shows what became of it. Throws a 400 on a fault it does not know.
 */
function faultInMetadata(params: Params): Fault | null {
  if (typeof params.get("metadata") === "string") return null;
  const metadata = hash(params, "metadata");
  const name = metadata === undefined ? undefined : text(metadata, "keybrake_fault");
  if (metadata === undefined || name === undefined) return null;

  const kind = faultKind(name);
  const ms = Number(text(metadata, "keybrake_fault_ms") ?? DEFAULT_SLOW_MS);
  if (kind !== undefined && Number.isInteger(ms) && ms >= 0) return { kind, ms };
  throw invalidRequest(`Invalid keybrake_fault: must be one of ${FAULT_KINDS.join(", ")}`, {
    param: "metadata[keybrake_fault]",
  });
}
