import type { CallFacts, Facts, KeyFacts } from "./facts.ts";

/** What a log of these facts has to answer, counted from the facts alone. Dollars are counted in micro-dollars. */

export interface CountedRow {
  readonly id: string;
  readonly atMs: number;
  /** Rows stand by time, and by this within a millisecond; the newest is the first. */
  readonly place: string;
  readonly vendor: string;
  readonly label: string | null;
  readonly keyId: string;
  readonly callId: string | null;
  /** Null for the issue of a key. */
  readonly state: string | null;
  readonly decision: string | null;
  readonly overrun: boolean | null;
  readonly cost: bigint;
}

export function countedRows({ keys, calls }: Facts): readonly CountedRow[] {
  const rows = [...keys.map(rowOfKey), ...calls.map(rowOfCall)];
  return rows.sort((one, other) => (one.place < other.place ? 1 : -1));
}

const timeOf = (ms: number): string => new Date(ms).toISOString().replace("Z", "+00:00");

function rowOfKey({ id, issuedAtMs, vendor, label }: KeyFacts): CountedRow {
  return {
    id: `${id}#key.issued#0`,
    atMs: issuedAtMs,
    place: `${timeOf(issuedAtMs)}#${id}#key.issued#0`,
    vendor,
    label,
    keyId: id,
    callId: null,
    state: null,
    decision: null,
    overrun: null,
    cost: 0n,
  };
}

const SHOWN_AS = { found_out: "settled", repriced: "settled" } as const;

function rowOfCall(call: CallFacts): CountedRow {
  const { id, attemptId, atMs, key, outcome, cost, reserved } = call;
  return {
    id: `${id}#${attemptId}`,
    atMs,
    place: `${timeOf(atMs)}#${attemptId}`,
    vendor: key.vendor,
    label: key.label,
    keyId: key.id,
    callId: id,
    state: outcome === "found_out" || outcome === "repriced" ? SHOWN_AS[outcome] : outcome,
    decision: outcome === "denied" ? "denied" : "allowed",
    overrun: cost > reserved,
    cost,
  };
}

/** The parameters of `GET /vault/audit` that choose rows. */
export type Filters = Readonly<
  Partial<
    Record<
      "vendor" | "agent_run_label" | "key_id" | "call_id" | "state" | "decision" | "overrun" | "from" | "to",
      string
    >
  >
>;

export const isWanted = (row: CountedRow, filters: Filters): boolean =>
  (filters.vendor === undefined || row.vendor === filters.vendor) &&
  (filters.key_id === undefined || row.keyId === filters.key_id) &&
  (filters.call_id === undefined || row.callId === filters.call_id) &&
  (filters.state === undefined || row.state === filters.state) &&
  (filters.decision === undefined || row.decision === filters.decision) &&
  (filters.overrun === undefined || `${row.overrun}` === filters.overrun) &&
  (filters.agent_run_label === undefined || hasLabel(row.label, filters.agent_run_label)) &&
  (filters.from === undefined || row.atMs >= Date.parse(filters.from)) &&
  (filters.to === undefined || row.atMs < Date.parse(filters.to));

export const hasLabel = (label: string | null, wanted: string): boolean =>
  wanted.endsWith("*") ? label?.startsWith(wanted.slice(0, -1)) === true : label === wanted;

export interface CountedSum {
  readonly spent: bigint;
  readonly allowed: number;
  readonly denied: number;
}

/** Sums of calls by their groups; open calls are in none. */
export function countedSums(
  calls: readonly CallFacts[],
  groupsOf: (call: CallFacts) => readonly Counted[],
): ReadonlyMap<string, CountedSum> {
  const sums = new Map<string, CountedSum>();
  for (const call of calls) {
    if (call.outcome === "open") continue;
    for (const { group, hasCall } of groupsOf(call)) {
      const { spent, allowed, denied } = sums.get(group) ?? { spent: 0n, allowed: 0, denied: 0 };
      const counts = hasCall ? 1 : 0;
      const isDenied = call.outcome === "denied";
      sums.set(group, {
        spent: spent + call.cost,
        allowed: allowed + (isDenied ? 0 : counts),
        denied: denied + (isDenied ? counts : 0),
      });
    }
  }
  for (const [group, { spent, allowed, denied }] of sums)
    if (spent === 0n && allowed === 0 && denied === 0) sums.delete(group);
  return sums;
}

/** `hasCall`: whether the call itself counts there, and not its dollars alone. */
interface Counted {
  readonly group: string;
  readonly hasCall: boolean;
}

const whole = (group: string | null): readonly Counted[] =>
  group === null ? [] : [{ group, hasCall: true }];

/** What stands before the first `/` or `:`. */
export const groupOf = (label: string | null): string | null => label?.split(/[/:]/)[0] ?? null;

export const dayOf = (call: CallFacts): string => timeOf(call.atMs).slice(0, 10);

export const GROUPS: Readonly<Record<string, (call: CallFacts) => readonly Counted[]>> = {
  day: (call) => whole(dayOf(call)),
  vendor: ({ key }) => whole(key.vendor),
  agent_run_label: ({ key }) => whole(key.label),
  label_group: ({ key }) => whole(groupOf(key.label)),
  /** What a key spends is spent of the keys above it too. */
  key_id: ({ key }) => [
    { group: key.id, hasCall: true },
    ...(key.parent === null ? [] : [{ group: key.parent.id, hasCall: false }]),
  ],
};
