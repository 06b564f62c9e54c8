import type { Fields } from "../api/fields.ts";
import type { Column, Tone } from "./table.ts";
import { dollarsOf, NOTHING, textOf, timeOf } from "./words.ts";

/** A row of the audit log, for people. */

const isCall = (row: Fields): boolean => row["type"] === "call";

/** What happened: the call with its vendor, or the change of a key, a stop or an API key. */
const whatOf = (row: Fields): string =>
  isCall(row)
    ? `${textOf(row, "method")} /${textOf(row, "vendor")}${textOf(row, "path")}`
    : `${textOf(row, "type")}${row["by"] === null || row["by"] === undefined ? "" : ` by ${textOf(row, "by")}`}`;

/** What became of it, with the reason where there is one. */
function outcomeOf(row: Fields): string {
  if (!isCall(row)) return NOTHING;
  const state = textOf(row, "state");
  const reason = textOf(row, "reason");
  const notes = [
    reason === NOTHING ? "" : reason,
    row["would_deny"] === true || typeof row["would_deny"] === "string" ? "would be denied" : "",
    row["overrun"] === true ? "OVERRUN" : "",
    row["replayed"] === true ? "a repeat" : "",
  ].filter((note) => note !== "");
  return notes.length === 0 ? state : `${state}: ${notes.join(", ")}`;
}

export function toneOfRow(row: Fields): Tone {
  const state = row["state"];
  if (state === "denied" || state === "unresolved" || row["overrun"] === true) return "bad";
  if (state === "settled") return "good";
  return row["type"] === "key.revoked" || row["type"] === "run.stopped" ? "bad" : "quiet";
}

/** What it added to the spend; of a denial what it asked for, in brackets. */
const costOf = (row: Fields): string => {
  if (row["state"] === "free") return NOTHING;
  if (row["state"] !== "denied") return dollarsOf(row, "cost_usd");
  return row["requested_usd"] === 0 ? NOTHING : `(${dollarsOf(row, "requested_usd")})`;
};

export const rowColumns: readonly Column<Fields>[] = [
  { title: "AT", cell: (row) => timeOf(row, "at"), spare: 1 },
  { title: "WHAT", cell: whatOf, widthMin: 24 },
  { title: "OUTCOME", cell: outcomeOf, widthMin: 26, tone: toneOfRow },
  { title: "COST", cell: costOf, align: "right", tone: toneOfRow },
  { title: "LEFT", cell: (row) => dollarsOf(row, "remaining_usd"), align: "right", spare: 3 },
  { title: "LABEL", cell: (row) => textOf(row, "agent_run_label"), widthMin: 10, spare: 4 },
  { title: "KEY", cell: (row) => textOf(row, "key_id"), spare: 2 },
];

/** One line for a terminal that shows rows as they come; `outcome` is what its colour is about. */
export function rowLine(row: Fields): { readonly before: string; readonly outcome: string } {
  const at = timeOf(row, "at").slice(11);
  const cost = costOf(row);
  const outcome = [
    outcomeOf(row),
    cost === NOTHING ? "" : cost,
    typeof row["remaining_usd"] === "number" ? `left ${dollarsOf(row, "remaining_usd")}` : "",
  ].filter((part) => part !== "" && part !== NOTHING);
  const place = [textOf(row, "key_id"), textOf(row, "agent_run_label")].filter((part) => part !== NOTHING);
  return { before: [at, ...place, whatOf(row)].join("  "), outcome: outcome.join(", ") };
}
