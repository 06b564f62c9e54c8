import { eachAtOnce } from "../../at-once.ts";
import { matchesLabel } from "../../domain/label-match.ts";
import type { RunName, Spend, SumName } from "../../ports/spending.ts";
import { isUnlimited, mayReach, notFound } from "../keys/caller.ts";
import { spendByKey } from "./spend-by-key.ts";
import {
  isSomething,
  NO_SPEND,
  type SpendAnswer,
  type SpendPorts,
  type SpendQuery,
  type SpendRow,
  type SpendScope,
  spendOf,
  together,
} from "./spend-query.ts";

const SUMS_AT_ONCE = 16;

/** Sums by day, vendor, label group, label or key. It reads sums alone, never events. */
export async function querySpend(
  query: SpendQuery,
  scope: SpendScope,
  ports: SpendPorts,
): Promise<SpendAnswer> {
  if (query.keyId !== null) await refuseForeignKey(query.keyId, scope, ports);
  switch (query.groupBy) {
    case "day":
      return paged(await byDay(query, scope, ports), query);
    case "vendor":
      return paged(await byVendor(query, scope, ports), query);
    case "label_group":
    case "agent_run_label":
      return byName(query.groupBy === "label_group" ? "label_group" : "label", query, scope, ports);
    case "key_id": {
      const { rows, next } = await spendByKey(query, scope, ports);
      return { rows, next, total: await totalOf(query, scope, ports) };
    }
  }
}

/** The sums of a key outlive it: whoever may see every key may see those too. */
async function refuseForeignKey(keyId: string, { caller }: SpendScope, { vault }: SpendPorts): Promise<void> {
  if (isUnlimited(caller)) return;
  const policy = await vault.policies.read(keyId);
  if (policy === null || !mayReach(caller, policy)) throw notFound();
}

/** The sums that a query adds up, or null where its filters ask for what no sum is kept of. */
function sumsFor(
  { vendor, label, keyId }: Pick<SpendQuery, "vendor" | "label" | "keyId">,
  vendors: readonly string[],
): readonly SumName[] | null {
  if (keyId !== null) return [{ kind: "key", name: keyId }];
  if (label === null) return (vendor === null ? vendors : [vendor]).map((name) => ({ kind: "vendor", name }));
  return vendor === null && label.kind === "exact" ? [{ kind: "label", name: label.text }] : null;
}

async function byDay(query: SpendQuery, { vendors }: SpendScope, { spending }: SpendPorts) {
  const days = new Map<string, Spend>();
  const sums = sumsFor(query, vendors) ?? [];
  const found = await eachAtOnce(sums, SUMS_AT_ONCE, (sum) => spending.days(sum, query.fromDay, query.toDay));
  for (const { day, ...spend } of found.flat()) days.set(day, together([days.get(day) ?? NO_SPEND, spend]));
  return [...days].map(([group, spend]) => ({ group, ...spend }));
}

async function byVendor(query: SpendQuery, { vendors }: SpendScope, ports: SpendPorts) {
  const wanted = query.vendor === null ? vendors : [query.vendor];
  return eachAtOnce(wanted, SUMS_AT_ONCE, async (group) => ({
    group,
    ...(await spendOf({ kind: "vendor", name: group }, query, ports)),
  }));
}

/** Rows that are all known, by their groups in order. */
function paged(rows: readonly SpendRow[], { after, limit }: SpendQuery): SpendAnswer {
  const sorted = rows.filter(isSomething).sort((one, other) => (one.group < other.group ? -1 : 1));
  const left = sorted.filter(({ group }) => after === null || group > after);
  const page = left.slice(0, limit);
  return {
    rows: page,
    total: together(sorted),
    next: left.length > limit ? (page.at(-1)?.group ?? null) : null,
  };
}

async function byName(
  kind: RunName["kind"],
  query: SpendQuery,
  scope: SpendScope,
  ports: SpendPorts,
): Promise<SpendAnswer> {
  const { label, after, limit, fromDay, toDay } = query;
  const beginning = label?.text ?? "";
  const wanted = { kind, days: daysBetween(fromDay, toDay), beginning, after, limit };
  const { names, next } =
    label?.kind === "exact" ? { names: [label.text], next: null } : await ports.spending.names(wanted);
  const rows = await eachAtOnce(
    names.filter((name) => label === null || matchesLabel(label, name)),
    SUMS_AT_ONCE,
    async (name) => ({ group: name, ...(await spendOf({ kind, name }, query, ports)) }),
  );
  const isAll = after === null && next === null;
  const total = label?.kind === "prefix" && isAll ? together(rows) : await totalOf(query, scope, ports);
  return { rows: rows.filter(isSomething), total, next };
}

async function totalOf(query: SpendQuery, { vendors }: SpendScope, ports: SpendPorts): Promise<Spend | null> {
  const sums = sumsFor(query, vendors);
  if (sums === null) return null;
  return together(await eachAtOnce(sums, SUMS_AT_ONCE, (sum) => spendOf(sum, query, ports)));
}

const DAY_MS = 86_400_000;

function daysBetween(fromDay: string, toDay: string): readonly string[] {
  const days: string[] = [];
  for (let ms = Date.parse(fromDay); ms < Date.parse(toDay); ms += DAY_MS)
    days.push(new Date(ms).toISOString().slice(0, 10));
  return days;
}
