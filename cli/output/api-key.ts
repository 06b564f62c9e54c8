import type { Fields } from "../api/fields.ts";
import { capFields } from "./cap.ts";
import type { Column, Tone } from "./table.ts";
import { dollarsOf, NOTHING, span, textOf, textsOf, timeOf } from "./words.ts";

/** An API key, for people. */

const toneOf = (apiKey: Fields): Tone => (textOf(apiKey, "status") === "active" ? "good" : "bad");

export function apiKeyFields(
  apiKey: Fields,
): readonly (readonly [name: string, value: string, tone?: Tone])[] {
  const expires = apiKey["max_expires_in_s"];
  const all: readonly (readonly [string, string, Tone?])[] = [
    ["id", textOf(apiKey, "id")],
    ["name", textOf(apiKey, "name")],
    ["status", textOf(apiKey, "status"), toneOf(apiKey)],
    ["scopes", textsOf(apiKey, "scopes")],
    ["vendors", textsOf(apiKey, "allowed_vendors")],
    ["credentials", textsOf(apiKey, "allowed_credentials")],
    ["endpoints", textsOf(apiKey, "allowed_endpoints")],
    ...capFields(apiKey, "in this UTC day", null),
    ["highest daily cap", dollarsOf(apiKey, "max_daily_usd_cap")],
    ["highest total cap", dollarsOf(apiKey, "max_total_usd_cap")],
    ["highest cap a call", dollarsOf(apiKey, "max_per_call_usd_cap")],
    ["longest life", typeof expires === "number" ? span(expires) : NOTHING],
    ["issued", `${timeOf(apiKey, "issued_at")} by ${textOf(apiKey, "issuer_id")}`],
    ["revoked", timeOf(apiKey, "revoked_at")],
  ];
  return all.filter(([, value]) => value !== NOTHING);
}

export const apiKeyColumns: readonly Column<Fields>[] = [
  { title: "ID", cell: (apiKey) => textOf(apiKey, "id") },
  { title: "STATUS", cell: (apiKey) => textOf(apiKey, "status"), tone: toneOf },
  { title: "NAME", cell: (apiKey) => textOf(apiKey, "name"), widthMin: 10 },
  { title: "SCOPES", cell: (apiKey) => textsOf(apiKey, "scopes"), widthMin: 8 },
  { title: "VENDORS", cell: (apiKey) => textsOf(apiKey, "allowed_vendors"), widthMin: 8, spare: 2 },
  { title: "ISSUED", cell: (apiKey) => timeOf(apiKey, "issued_at"), spare: 1 },
];
