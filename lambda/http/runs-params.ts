import type { RunsQuery } from "../app/audit/list-runs.ts";
import type { VendorRequest } from "../domain/vendor.ts";
import { limitOf, parametersOf } from "./list-params.ts";

/** Reads the parameters of `GET /vault/runs`, or throws what names the one that is wrong. */
export function parseRunsRequest(query: VendorRequest["query"]): RunsQuery {
  const value = parametersOf(query, ["label_group", "limit"]);
  return { group: value("label_group"), limit: limitOf(value("limit")) };
}
