import { GROUPINGS, type Grouping, type SpendQuery } from "../app/audit/spend-query.ts";
import type { Caller } from "../app/keys/caller.ts";
import { isUnlimited } from "../app/keys/caller.ts";
import { Problem } from "../domain/problem.ts";
import { isoDay } from "../domain/time.ts";
import type { VendorRequest } from "../domain/vendor.ts";
import {
  cursorOf,
  labelIn,
  limitOf,
  oneOf,
  parametersOf,
  positionIn,
  readCursor,
  shown,
  signatureOf,
} from "./list-params.ts";
import { invalid } from "./parse-body.ts";

const PARAMETERS = [
  "group_by",
  "from",
  "to",
  "vendor",
  "agent_run_label",
  "key_id",
  "limit",
  "cursor",
] as const;

const DAY_MS = 86_400_000;
const DEFAULT_DAYS = 30;
/** A quarter. Each day of a sum is a few items to read. */
const DAYS_MAX = 93;

/** The filters that sums are kept for, by what they are grouped by. */
const FILTERS: Readonly<Record<Grouping, readonly string[]>> = {
  day: ["vendor", "agent_run_label", "key_id"],
  vendor: ["vendor"],
  label_group: [],
  agent_run_label: ["agent_run_label"],
  key_id: ["vendor", "agent_run_label", "key_id"],
};

export interface SpendRequest {
  readonly query: SpendQuery;
  readonly cursorFor: (position: string) => string;
}

/** Reads the parameters of `GET /vault/spend`, or throws what names the one that is wrong. */
export function parseSpendRequest(
  query: VendorRequest["query"],
  vendors: readonly string[],
  nowMs: number,
): SpendRequest {
  const value = parametersOf(query, PARAMETERS);
  const groupBy = oneOf("group_by", value("group_by"), GROUPINGS) ?? "day";
  const filters = {
    groupBy,
    vendor: oneOf("vendor", value("vendor"), vendors),
    label: labelIn(value("agent_run_label")),
    keyId: value("key_id"),
  };
  const given = (["vendor", "agent_run_label", "key_id"] as const).filter((name) => value(name) !== null);
  for (const name of given)
    if (!FILTERS[groupBy].includes(name))
      throw invalid(name, `no sums by ${groupBy} are kept of one ${name}; expected ${filtersOf(groupBy)}`);
  if (groupBy === "day" && given.length > 1)
    throw invalid(given[1] ?? "", `sums are kept of one ${given.join(", or of one ")}; expected one of them`);
  if (groupBy === "day" && filters.label?.kind === "prefix")
    throw invalid("agent_run_label", "got a prefix; expected a whole label, or group_by=agent_run_label");
  const signature = signatureOf(["spend", filters, value("from"), value("to")]);
  const cursor = readCursor(value("cursor"), signature);
  // A cursor keeps the days that it began with, so that a list does not shift at midnight.
  const today = typeof cursor?.["today"] === "string" ? cursor["today"] : isoDay(nowMs);
  const days = daysOf(value("from"), value("to"), today);
  return {
    query: { ...filters, ...days, limit: limitOf(value("limit")), after: positionIn(cursor) },
    cursorFor: (position) => cursorOf(signature, { position, today }),
  };
}

const filtersOf = (groupBy: Grouping): string =>
  FILTERS[groupBy].length === 0 ? "no filter" : `no other filter than ${FILTERS[groupBy].join(", ")}`;

function daysOf(from: string | null, to: string | null, today: string) {
  const toMs = to === null ? dayMs("to", today) + DAY_MS : dayMs("to", to);
  const fromMs = from === null ? toMs - DEFAULT_DAYS * DAY_MS : dayMs("from", from);
  if (fromMs >= toMs)
    throw invalid("from", `got ${isoDay(fromMs)}, which is not before "to" (${isoDay(toMs)}, excluded)`);
  if (toMs - fromMs > DAYS_MAX * DAY_MS)
    throw invalid("from", `got ${(toMs - fromMs) / DAY_MS} days; expected at most ${DAYS_MAX} at a time`);
  return { fromDay: isoDay(fromMs), toDay: isoDay(toMs) };
}

function dayMs(name: "from" | "to", text: string): number {
  const ms = /^\d{4}-\d{2}-\d{2}$/.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(ms) || isoDay(ms) !== text)
    throw invalid(name, `got ${shown(text)}; expected a UTC day such as 2026-11-22`);
  return ms;
}

/**
 * The vendors whose sums the caller may see. Throws where a query adds up more than that: a sum of a label is over all vendors
 * and credentials, and one of a vendor is over all of its credentials.
 */
export function reachedVendors(
  { id, apiKey }: Caller,
  { groupBy, label, vendor, keyId }: SpendQuery,
  vendors: readonly string[],
): readonly string[] {
  if (apiKey === null || isUnlimited({ id, apiKey })) return vendors;
  const reached = vendors.filter((name) => apiKey.vendors?.includes(name) !== false);
  const isOfVendors = (groupBy === "day" || groupBy === "vendor") && label === null && keyId === null;
  const isOfKeys = groupBy === "key_id" || keyId !== null;
  const mayAsk = isOfKeys || (isOfVendors && apiKey.credentials === null);
  if (mayAsk && (vendor === null || reached.includes(vendor))) return reached;
  throw beyondReach(id);
}

/** Throws where the caller may not see what is added up over all vendors and credentials. */
export function refuseLimited(caller: Caller): void {
  if (!isUnlimited(caller)) throw beyondReach(caller.id);
}

const beyondReach = (apiKeyId: string) =>
  new Problem(
    "wider_than_issuer",
    `API key ${apiKeyId} reaches only some vendors or credentials, and this sum is over others too; ask with group_by=key_id, or with a key that reaches all`,
    { details: { api_key_id: apiKeyId } },
  );
