import { usd, type Violation } from "./check.ts";
import type { FaultsOptions } from "./options.ts";
import type { Act, RoundResult } from "./round.ts";
import type { Tally } from "./tally.ts";

const SHOWN_MAX = 40;

const thousands = (count: number): string => count.toLocaleString("en-US");

/** One line for a round that went well; with what went wrong, and what the product said, for one that did not. */
export function progressOf(
  number: number,
  act: Act,
  seed: number,
  result: RoundResult,
  tally: Tally,
): string {
  const { violations, heldAfterTraffic, heldAtEnd, settledAfterS, closedByHand, openRows, unresolvedRows } =
    result;
  const line =
    `round ${number + 1} ${act} (seed ${seed}): so far ${thousands(tally.requests)} requests, ${thousands(tally.faultsInAll)} faults, ` +
    `${thousands(tally.kills)} kills; held ${usd(heldAfterTraffic)}, after ${settledAfterS.toFixed(1)} s ${usd(heldAtEnd)}; ` +
    `${closedByHand} closed by hand, ${openRows} open, ${unresolvedRows} unresolved: ${violations.length === 0 ? "right" : "WRONG"}`;
  if (violations.length === 0) return line;
  return [line, ...shown(violations), "", "the product said:", result.stderr.slice(-8_000)].join("\n");
}

const shown = (violations: readonly Violation[]): readonly string[] => [
  ...violations.slice(0, SHOWN_MAX).map(({ kind, what }) => `  ${kind}: ${what}`),
  ...(violations.length > SHOWN_MAX ? [`  and ${violations.length - SHOWN_MAX} more`] : []),
];

/** All of a run: faults by kind, and what came of them. */
export function tableOf(
  { seed, minutes, judgesHeld }: FaultsOptions,
  results: readonly RoundResult[],
  tally: Tally,
): string {
  const count = (...kinds: readonly Violation["kind"][]) =>
    results.flatMap(({ violations }) => violations).filter(({ kind }) => kinds.includes(kind)).length;
  const money = (pick: (result: RoundResult) => bigint) =>
    usd(results.reduce((sum, result) => sum + pick(result), 0n));
  const number = (pick: (result: RoundResult) => number) =>
    thousands(results.reduce((sum, result) => sum + pick(result), 0));
  const rows: readonly (readonly [string, string])[] = [
    ["seed, minutes, rounds", `${seed}, ${minutes}, ${results.length}`],
    ["calls, requests", `${thousands(tally.calls)}, ${thousands(tally.requests)}`],
    ["faults", thousands(tally.faultsInAll)],
    ...[...tally.faults].sort(([, one], [, other]) => other - one).map(faultRow),
    ["charged by the vendor", money(({ charged }) => charged)],
    ["overspent", thousands(count("overspent"))],
    ["charged and not counted", thousands(count("not counted", "two balances", "charged twice"))],
    ["rows lost, doubled", `${count("row lost")}, ${count("row doubled", "row of nothing")}`],
    [
      "rows or sums that differ from the charges",
      thousands(count("cost is not the charge", "sum is not the rows")),
    ],
    ["told wrong, answered after revocation", thousands(count("told wrong", "after revocation"))],
    ["held after the traffic", money(({ heldAfterTraffic }) => heldAfterTraffic)],
    [`held at the end${judgesHeld ? "" : " (not judged)"}`, money(({ heldAtEnd }) => heldAtEnd)],
    [
      "seconds until nothing was open, at most",
      Math.max(...results.map((each) => each.settledAfterS)).toFixed(1),
    ],
    [`open at the end${judgesHeld ? "" : " (not judged)"}`, number(({ openRows }) => openRows)],
    [
      "unresolved at the end, closed by the command",
      `${number((each) => each.unresolvedRows)}, ${number((each) => each.closedByHand)}`,
    ],
    [
      "dead letters replayed, left",
      `${number((each) => each.deadLetters.recorded)}, ${number((each) => each.deadLetters.left)}`,
    ],
  ];
  const width = Math.max(...rows.map(([name]) => name.length));
  return ["", ...rows.map(([name, value]) => `${name.padEnd(width)}  ${value}`)].join("\n");
}

const faultRow = ([kind, times]: readonly [string, number]): readonly [string, string] => [
  `  ${kind.replaceAll("_", " ")}`,
  thousands(times),
];
