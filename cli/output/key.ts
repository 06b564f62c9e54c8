import { type Fields, isFields } from "../api/fields.ts";
import { capFields } from "./cap.ts";
import type { Column, Tone } from "./table.ts";
import { countOf, dollarsOf, fromNow, NOTHING, textOf, textsOf, timeOf } from "./words.ts";

/** A key of the API, for people. */

type Field = readonly [name: string, value: string, tone?: Tone];

const toneOf = (fields: Fields): Tone => {
  const status = textOf(fields, "status");
  if (status === "active") return "good";
  return status === "exhausted" || status === "revoked" ? "bad" : "quiet";
};

/** Every field that is set, most wanted first. */
export function keyFields(key: Fields, nowMs: number): readonly Field[] {
  const all: readonly Field[] = [
    ["id", textOf(key, "id")],
    ["status", statusOf(key), toneOf(key)],
    ["vendor", vendorOf(key)],
    ["base URL", textOf(key, "base_url")],
    ["label", textOf(key, "agent_run_label")],
    ...capFields(key, "in 24 hours", nowMs),
    ["per call", dollarsOf(key, "per_call_usd_cap")],
    ["calls a minute", countOf(key, "max_calls_per_minute")],
    ["endpoints", textsOf(key, "allowed_endpoints")],
    ["accounts", textsOf(key, "allowed_accounts")],
    ["currencies", textsOf(key, "allowed_currencies")],
    ["recipients", textsOf(key, "allowed_recipients")],
    ["recipients a call", countOf(key, "max_recipients")],
    ["metadata", metadataOf(key)],
    ["parent", textOf(key, "parent_id")],
    ["issued", `${timeOf(key, "issued_at")} by ${textOf(key, "issuer_id")}`],
    ["expires", `${timeOf(key, "expires_at")} (${fromNow(key, "expires_at", nowMs)})`],
  ];
  return all.filter(([, value]) => value !== NOTHING);
}

function statusOf(key: Fields): string {
  const status = textOf(key, "status");
  const mode = textOf(key, "mode") === "observe" ? ", only observed: no cap refuses a call" : "";
  const revokedAt = timeOf(key, "revoked_at");
  const by = textOf(key, "revoked_by");
  const reason = textOf(key, "revoked_reason");
  const why = [by === NOTHING ? "" : ` by ${by}`, reason === NOTHING ? "" : ` (${reason})`].join("");
  return `${status}${revokedAt === NOTHING ? "" : ` since ${revokedAt}${why}`}${mode}`;
}

const vendorOf = (key: Fields): string => {
  const credential = textOf(key, "credential");
  return credential === "default" || credential === NOTHING
    ? textOf(key, "vendor")
    : `${textOf(key, "vendor")}, credential ${credential}`;
};

/** By name: a stored object has no order. */
function metadataOf(key: Fields): string {
  const { metadata } = key;
  const pairs = isFields(metadata) ? Object.entries(metadata).toSorted() : [];
  return pairs.length === 0 ? NOTHING : pairs.map(([name, value]) => `${name}=${String(value)}`).join(", ");
}

/** A list of keys. */
export const keyColumns = (nowMs: number): readonly Column<Fields>[] => [
  { title: "ID", cell: (key) => textOf(key, "id") },
  { title: "STATUS", cell: (key) => textOf(key, "status"), tone: toneOf },
  { title: "VENDOR", cell: (key) => textOf(key, "vendor"), widthMin: 6, spare: 2 },
  { title: "LABEL", cell: (key) => textOf(key, "agent_run_label"), widthMin: 12 },
  { title: "SPENT", cell: (key) => dollarsOf(key, "spent_usd"), align: "right", spare: 3 },
  { title: "LEFT", cell: (key) => dollarsOf(key, "remaining_usd"), align: "right" },
  { title: "EXPIRES", cell: (key) => fromNow(key, "expires_at", nowMs), align: "right", spare: 1 },
  { title: "ISSUER", cell: (key) => textOf(key, "issuer_id"), spare: 4 },
];
