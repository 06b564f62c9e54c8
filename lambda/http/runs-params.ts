import type { RunsQuery } from "../app/audit/list-runs.ts";
import type { VendorRequest } from "../domain/vendor.ts";
import { LIMIT_MAX, limitOf, parametersOf, shown } from "./list-params.ts";
import { invalid } from "./parse-body.ts";

/** Reads the parameters of `GET /vault/runs`, or throws what names the one that is wrong. */
export function parseRunsRequest(query: VendorRequest["query"]): RunsQuery {
  const value = parametersOf(query, ["label_group", "labels", "limit"]);
  return { group: value("label_group"), labels: labelsOf(value("labels")), limit: limitOf(value("limit")) };
}

/** How many labels of each group; null for all. */
function labelsOf(text: string | null): number | null {
  if (text === null) return null;
  if (!/^\d{1,3}$/.test(text) || Number(text) > LIMIT_MAX)
    throw invalid("labels", `got ${shown(text)}; expected a whole number from 0 to ${LIMIT_MAX}`);
  return Number(text);
}
