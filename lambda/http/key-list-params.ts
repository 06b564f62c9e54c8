import type { KeyQuery } from "../app/keys/list-keys.ts";
import { KEY_STATUSES } from "../domain/key-status.ts";
import type { VendorRequest } from "../domain/vendor.ts";
import {
  cursorOf,
  labelIn,
  limitOf,
  oneOf,
  parametersOf,
  positionIn,
  readCursor,
  signatureOf,
} from "./list-params.ts";

const PARAMETERS = ["status", "vendor", "agent_run_label", "parent_id", "limit", "cursor"] as const;

export interface KeyListRequest {
  readonly query: KeyQuery;
  readonly cursorFor: (position: string) => string;
}

/** Reads the parameters of `GET /vault/keys`, or throws what names the one that is wrong. */
export function parseKeyListRequest(
  query: VendorRequest["query"],
  vendors: readonly string[],
): KeyListRequest {
  const value = parametersOf(query, PARAMETERS);
  const filters = {
    status: oneOf("status", value("status"), KEY_STATUSES),
    vendor: oneOf("vendor", value("vendor"), vendors),
    label: labelIn(value("agent_run_label")),
    parentId: value("parent_id"),
  };
  const signature = signatureOf(["keys", filters]);
  return {
    query: {
      ...filters,
      limit: limitOf(value("limit")),
      before: positionIn(readCursor(value("cursor"), signature)),
    },
    cursorFor: (position) => cursorOf(signature, { position }),
  };
}
