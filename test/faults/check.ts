import type { AuditRow, Charge, Facts, SentCall, SentRequest, StoredBalance, VaultKey } from "./facts.ts";
import { groupBy } from "./group-by.ts";
import { type RowsOfCalls, rowsOfCalls } from "./rows-of-calls.ts";

/** Something that must never be. */
export interface Violation {
  readonly kind: ViolationKind;
  readonly what: string;
}

export type ViolationKind =
  | "overspent"
  | "not counted"
  | "two balances"
  | "row doubled"
  | "row lost"
  | "row of nothing"
  | "cost is not the charge"
  | "sum is not the rows"
  | "charged twice"
  | "told wrong"
  | "after revocation"
  | "held for nothing"
  | "open"
  | "unresolved";

export interface Checked {
  readonly violations: readonly Violation[];
  /** What root keys hold that the vendor did not charge. */
  readonly held: bigint;
  readonly charged: bigint;
  readonly openRows: number;
  readonly unresolvedRows: number;
}

/**
 * Compares the vendor's own account with the balances and with the audit log, to the cent; and each request with its row.
 *
 * `isFinal`: nothing is under way any more, what crashed was resolved, and what stayed unknown was closed by hand. Before, a
 * balance may hold more than was charged, and a row may be open or unresolved, but never the other way round.
 */
export function check(facts: Facts, isFinal: boolean): Checked {
  const books = openBooks(facts);
  const violations = [
    ...facts.keys.flatMap((key) => [...ofBalance(key, books, isFinal), ...ofSums(key, books)]),
    ...ofRows(facts),
    ...facts.calls.flatMap((call) => [...ofCall(call, books)]),
    ...(isFinal ? facts.rows.filter(isUndecided).map(undecidedRow) : []),
    ...ofRequests(facts, books),
  ];
  const roots = facts.keys.filter((key) => key.chain.find(isVaultKey) === key.id);
  const calls = facts.rows.filter(({ type }) => type === "call");
  return {
    violations,
    held: sum(roots.map(({ id }) => heldBy(id, books))),
    charged: sum(facts.charges.map(microsOf)),
    openRows: calls.filter(({ state }) => state === "open").length,
    unresolvedRows: calls.filter(({ state }) => state === "unresolved").length,
  };
}

interface Books {
  readonly facts: Facts;
  readonly charges: ReadonlyMap<string, readonly Charge[]>;
  readonly rows: RowsOfCalls;
  readonly balances: ReadonlyMap<string, StoredBalance>;
  readonly chains: ReadonlyMap<string, readonly string[]>;
  /** Key -> what was charged by it or below it for certain, and what may have been: by a call that another root's key sent too. */
  readonly spent: ReadonlyMap<string, { readonly certain: bigint; readonly possible: bigint }>;
}

function openBooks(facts: Facts): Books {
  const charges = groupBy(facts.charges, ({ call }) => call);
  const rows = rowsOfCalls(facts);
  const chains = new Map(facts.keys.map(({ id, chain }) => [id, chain]));
  const spent = new Map<string, { certain: bigint; possible: bigint }>();
  for (const call of facts.calls) {
    const amount = sum((charges.get(call.name) ?? []).map(microsOf));
    if (amount === 0n) continue;
    const used = call.keyIds.map((id) => chains.get(id) ?? []);
    for (const id of new Set(used.flat())) {
      const so = spent.get(id) ?? { certain: 0n, possible: 0n };
      if (used.every((chain) => chain.includes(id))) so.certain += amount;
      so.possible += amount;
      spent.set(id, so);
    }
  }
  const balances = new Map(facts.balances.map((balance) => [balance.keyId, balance]));
  return { facts, charges, rows, balances, chains, spent };
}

const NOTHING_SPENT = { certain: 0n, possible: 0n };

function* ofBalance({ id, name, observes }: VaultKey, books: Books, isFinal: boolean): Generator<Violation> {
  const balance = books.balances.get(id);
  const { certain, possible } = books.spent.get(id) ?? NOTHING_SPENT;
  if (balance === undefined) return yield { kind: "two balances", what: `${name} ${id} has no balance` };
  const counted = countedBy(balance);
  const [first = 0n] = counted;
  const place = `${name} ${id}`;
  if (counted.some((other) => other !== first))
    yield { kind: "two balances", what: `${place} counts ${counted.map(usd).join(" and ")}` };
  for (const cap of [balance.dailyCap, balance.totalCap])
    if (!observes && cap !== null && certain > cap)
      yield { kind: "overspent", what: `${place}: ${usd(certain)} were charged on a cap of ${usd(cap)}` };
  if (first < certain)
    yield { kind: "not counted", what: `${place} counts ${usd(first)}, and ${usd(certain)} were charged` };
  if (isFinal && first > possible)
    yield { kind: "held for nothing", what: `${place} counts ${usd(first)} for ${usd(possible)}` };
}

/** What each cap that is set counts: the same, since no key here lives for more than a day. */
function countedBy({ dailyCap, totalCap, leftOfDays, leftOfTotal }: StoredBalance): readonly bigint[] {
  const ofDays = dailyCap === null ? [] : [sum(leftOfDays.map((left) => dailyCap - left))];
  const ofTotal = totalCap === null ? [] : [totalCap - leftOfTotal];
  return [...ofDays, ...ofTotal];
}

function heldBy(id: string, { balances, spent }: Books): bigint {
  const balance = balances.get(id);
  const [counted = 0n] = balance === undefined ? [] : countedBy(balance);
  const { certain } = spent.get(id) ?? NOTHING_SPENT;
  return counted > certain ? counted - certain : 0n;
}

function* ofSums({ id, name }: VaultKey, { facts: { rows, sums }, chains }: Books): Generator<Violation> {
  const below = rows.filter(({ keyId }) => chains.get(keyId)?.includes(id) === true);
  const cost = sum(below.map((row) => row.cost));
  const told = sums.get(id) ?? 0n;
  if (told !== cost)
    yield { kind: "sum is not the rows", what: `${name} ${id}: ${usd(told)}, and its rows ${usd(cost)}` };
  const issued = rows.filter((row) => row.keyId === id && row.type === "key.issued").length;
  if (issued !== 1)
    yield { kind: issued === 0 ? "row lost" : "row doubled", what: `${id}: ${issued} rows of its issue` };
}

function* ofRows({ rows, requests }: Facts): Generator<Violation> {
  for (const [id, same] of groupBy(rows, (row) => row.id))
    if (same.length > 1) yield { kind: "row doubled", what: `${same.length} rows ${id}` };
  const byLabel = groupBy(
    rows.filter(({ label }) => label !== null),
    ({ label }) => `${label}`,
  );
  const labels = new Set(requests.map(({ label }) => label));
  for (const [label, same] of byLabel) {
    if (same.length > 1)
      yield {
        kind: "row doubled",
        what: `${same.length} rows of request ${label}: ${same.map(({ id }) => id).join(", ")}`,
      };
    if (!labels.has(label)) yield { kind: "row of nothing", what: `${label} was never sent` };
  }
  const unnamed = new Set(rows.flatMap(({ label, callId }) => (label === null ? [callId] : [])));
  for (const request of requests) {
    const { label, status, callId, code } = request;
    if (callId !== null && !byLabel.has(label) && !unnamed.has(callId) && !isOfTheLedger(request))
      yield { kind: "row lost", what: `${label} (${status} ${code ?? ""}, ${callId}) has no row` };
  }
}

/** A refusal that the ledger did not take is on no row: it says so by its code, and nothing was sent. */
const isOfTheLedger = ({ code, charged }: SentRequest): boolean =>
  code === "ledger_unavailable" && charged === "no";

const isUndecided = ({ state }: AuditRow): boolean => state === "open" || state === "unresolved";

const undecidedRow = ({ state, label, callId, keyId }: AuditRow): Violation => ({
  kind: state === "open" ? "open" : "unresolved",
  what: `${label ?? "no label"} (${callId}) of ${keyId}`,
});

function* ofCall(call: SentCall, { charges, rows }: Books): Generator<Violation> {
  const made = charges.get(call.name) ?? [];
  const charged = sum(made.map(microsOf));
  const told = rows.get(call.name) ?? [];
  const cost = sum(told.map((row) => row.cost));
  const undecided = told.filter(isUndecided);
  if (made.length > 1)
    yield { kind: "charged twice", what: `${call.name}: ${made.map(({ objectId }) => objectId).join(", ")}` };
  if (made.length > 0 && told.length === 0) yield { kind: "row lost", what: `${call.name} has no row` };
  const most = cost + sum(undecided.map(({ reserved }) => reserved));
  const isRight = undecided.length === 0 ? cost === charged : cost <= charged && charged <= most;
  if (!isRight)
    yield {
      kind: "cost is not the charge",
      what: `${call.name}: rows of ${usd(cost)} (${told.map(({ state }) => state).join(" ")}), charged ${usd(charged)}`,
    };
}

function* ofRequests({ requests }: Facts, { charges, facts }: Books): Generator<Violation> {
  const calls = new Map(facts.calls.map((call) => [call.name, call]));
  for (const { label, call, status, charged, isAfterRevocation } of requests) {
    const made = charges.get(call) ?? [];
    const isAlone = calls.get(call)?.idempotencyKey === null;
    if (isAfterRevocation && status >= 200 && status < 300)
      yield { kind: "after revocation", what: `${label} was answered with ${status}` };
    if (isAlone && charged === "no" && made.length > 0)
      yield { kind: "told wrong", what: `${label} was told that nothing was charged` };
    if (charged === "yes" && made.length === 0 && calls.get(call)?.cents !== 0)
      yield { kind: "told wrong", what: `${label} was told that it was charged` };
  }
}

const isVaultKey = (id: string): boolean => id.startsWith("key_");

const microsOf = ({ cents }: { readonly cents: number }): bigint => BigInt(cents) * 10_000n;

const sum = (amounts: readonly bigint[]): bigint => amounts.reduce((all, each) => all + each, 0n);

export const usd = (micros: bigint): string => `$${(Number(micros) / 1e6).toFixed(2)}`;
