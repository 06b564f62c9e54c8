import { type Fields, isFields } from "../api/fields.ts";
import type { Column, Tone } from "./table.ts";
import { counted, countOf, dollars, dollarsOf, fromNow, NOTHING, textOf, timeOf } from "./words.ts";

/** A stop of the API, for people. */

type Field = readonly [name: string, value: string, tone?: Tone];

/** What a stop is for: its criteria, all of which must match. */
export function whatOf(stop: Fields): string {
  if (stop["all"] === true) return "every key";
  const criteria = [
    ["label", "agent_run_label"],
    ["vendor", "vendor"],
    ["below", "parent_id"],
    ["issued by", "api_key_id"],
  ] as const;
  return criteria
    .map(([title, name]) => [title, textOf(stop, name)] as const)
    .filter(([, value]) => value !== NOTHING)
    .map(([title, value]) => `${title} ${value}`)
    .join(" and ");
}

/** Calls at the vendor; none where the audit log could not be read. */
export const inFlightOf = (stop: Fields): { readonly calls: number } => {
  const inFlight = stop["in_flight"];
  const calls = isFields(inFlight) ? inFlight["calls"] : undefined;
  return { calls: typeof calls === "number" ? calls : 0 };
};

/** `2 calls, $12.50`. */
function callsOf(fields: Fields, name: string): string {
  const part = fields[name];
  if (!isFields(part)) return NOTHING;
  const calls = typeof part["calls"] === "number" ? part["calls"] : 0;
  return calls === 0 ? "none" : `${counted(calls, "call")}, ${dollars(part["usd"])}`;
}

const toneOf = (stop: Fields): Tone => {
  const state = textOf(stop, "state");
  if (state === "in_force") return "good";
  return state === "revoking" ? "bad" : "quiet";
};

export function stopFields(stop: Fields, nowMs: number): readonly Field[] {
  const lifted = timeOf(stop, "lifted_at");
  const all: readonly Field[] = [
    ["id", textOf(stop, "id")],
    ["state", textOf(stop, "state").replace("_", " "), toneOf(stop)],
    ["stops", whatOf(stop)],
    ["reason", textOf(stop, "reason")],
    ["since", `${timeOf(stop, "at")} by ${textOf(stop, "by")}`],
    ["until", `${timeOf(stop, "until")} (${fromNow(stop, "until", nowMs)})`],
    ["lifted", lifted],
    ["keys revoked", countOf(stop, "keys_revoked")],
    ["calls since", countOf(stop, "calls_since")],
    ["in flight", callsOf(stop, "in_flight"), inFlightOf(stop).calls > 0 ? "bad" : "none"],
    ["unresolved", callsOf(stop, "unresolved")],
  ];
  return all.filter(([, value]) => value !== NOTHING);
}

const countedOf = (fields: Fields, name: string, thing: string): string =>
  counted(typeof fields[name] === "number" ? fields[name] : 0, thing);

/** What a dry run found. */
export const reachFields = (reach: Fields): readonly Field[] => [
  ["would stop", `${countedOf(reach, "keys", "key")} of ${countedOf(reach, "runs", "run")}`],
  ["they may still spend", dollarsOf(reach, "exposure_usd")],
  ["in flight", callsOf(reach, "in_flight")],
  ...(reach["complete"] === false
    ? [["note", "there are more: not all keys were read in time", "bad"] as const]
    : []),
];

export const stopColumns = (nowMs: number): readonly Column<Fields>[] => [
  { title: "ID", cell: (stop) => textOf(stop, "id") },
  { title: "STATE", cell: (stop) => textOf(stop, "state").replace("_", " "), tone: toneOf },
  { title: "STOPS", cell: whatOf, widthMin: 16 },
  { title: "REVOKED", cell: (stop) => countOf(stop, "keys_revoked"), align: "right", spare: 2 },
  { title: "UNTIL", cell: (stop) => fromNow(stop, "until", nowMs), align: "right", spare: 1 },
  { title: "BY", cell: (stop) => textOf(stop, "by"), spare: 4 },
  { title: "REASON", cell: (stop) => textOf(stop, "reason"), widthMin: 12, spare: 3 },
];
