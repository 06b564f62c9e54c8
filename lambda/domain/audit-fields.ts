import type { MicroUsd } from "./money.ts";

/**
 * Every column of the audit log, in the order in which a row shows them. This table is the only list: the types of what is
 * known of a call, the record of the call, the Audit table and the answers of `GET /vault/audit` are made of it.
 *
 * A new column of a call is an entry here, with `keptWith` and `nullable`, and its value where the facts of a call are
 * gathered. It has to be nullable, since older records do not have it. docs/api.md and docs/data.md list the names too; a
 * test compares them.
 */
export const AUDIT_FIELDS = {
  type: {
    name: "type",
    kind: "text",
    of: [
      "call",
      "key.issued",
      "key.changed",
      "key.revoked",
      "api_key.issued",
      "api_key.revoked",
      "run.stopped",
      "run.resumed",
    ],
    always: true,
  },
  keyId: { name: "key_id", kind: "text", always: true, keptWith: ["request"] },
  /** The chain above the key, root first. */
  parentIds: { name: "parent_ids", kind: "list", always: true },
  issuerId: { name: "issuer_id", kind: "text", always: true },
  credential: { name: "credential", kind: "text", always: true },
  label: { name: "agent_run_label", kind: "text", always: true, nullable: true },
  labelGroup: { name: "label_group", kind: "text", always: true, nullable: true },
  metadata: { name: "metadata", kind: "map", always: true },
  callLabel: { name: "call_label", kind: "text", keptWith: ["request"], nullable: true },
  vendor: { name: "vendor", kind: "text", always: true },
  method: { name: "method", kind: "text", keptWith: ["request"] },
  path: { name: "path", kind: "text", keptWith: ["request"] },
  decision: { name: "decision", kind: "text", of: ["allowed", "denied"] },
  /** A denial's code, or why an allowed attempt cost nothing; null where there is nothing to explain. */
  reason: { name: "reason", kind: "text", keptWith: ["outcome"], nullable: true },
  /** The code with which a key that only observes would have refused this call; null where it would not, and of a denial. */
  wouldDeny: { name: "would_deny", kind: "text", keptWith: ["outcome"], nullable: true },
  requested: { name: "requested_usd", kind: "usd" },
  reserved: { name: "reserved_usd", kind: "usd" },
  cost: { name: "cost_usd", kind: "usd" },
  overrun: { name: "overrun", kind: "flag" },
  /** Amount and currency as the request said them, and as the vendor did once it has; null where it said none. */
  amountText: { name: "amount", kind: "text", keptWith: ["request", "outcome"], nullable: true },
  currency: { name: "currency", kind: "text", keptWith: ["request", "outcome"], nullable: true },
  /** US dollars for one unit of the currency, where it is another one. */
  fxRate: { name: "fx_rate", kind: "rate", keptWith: ["request", "outcome"], nullable: true },
  /** What the tightest cap had left. */
  remaining: {
    name: "remaining_usd",
    kind: "usd",
    keptWith: ["outcome"],
    keptAs: "remaining",
    nullable: true,
  },
  vendorStatus: { name: "vendor_status", kind: "number", keptWith: ["outcome"], nullable: true },
  vendorRequestId: { name: "vendor_request_id", kind: "text", keptWith: ["outcome"], nullable: true },
  vendorObjectId: { name: "vendor_object_id", kind: "text", keptWith: ["outcome"], nullable: true },
  vendorCustomerId: { name: "vendor_customer_id", kind: "text", keptWith: ["outcome"], nullable: true },
  idempotencyKey: { name: "idempotency_key", kind: "text", keptWith: ["request"], nullable: true },
  replayed: { name: "replayed", kind: "flag", keptWith: ["outcome"] },
  vendorMs: { name: "vendor_ms", kind: "number", keptWith: ["outcome"], nullable: true },
  overheadMs: { name: "overhead_ms", kind: "number", keptWith: ["outcome"] },
  sourceIp: { name: "source_ip", kind: "text", keptWith: ["request"], nullable: true },
  userAgent: { name: "user_agent", kind: "text", keptWith: ["request"], nullable: true },
  by: { name: "by", kind: "text" },
  /** Caps and expiry of a key as they are from this event on. */
  dailyCap: { name: "daily_usd_cap", kind: "cap", sparse: true },
  totalCap: { name: "total_usd_cap", kind: "cap", sparse: true },
  perCallCap: { name: "per_call_usd_cap", kind: "cap", sparse: true },
  expiresAtMs: { name: "expires_at", kind: "time", sparse: true },
} as const satisfies Readonly<Record<string, AuditField>>;

/** How one column is called, kept, written and read. */
export interface AuditField {
  /** In the Audit table, on the wire and in the record of a call. */
  readonly name: string;
  readonly kind: AuditKind;
  /** The values that a text may have, where it is one of a few. */
  readonly of?: readonly string[];
  /** Where the record of a call keeps it until it makes a row. Without it the event itself tells the value. */
  readonly keptWith?: readonly FactsSource[];
  /** Its name in the record of a call, where that is another one. */
  readonly keptAs?: string;
  /** Every event tells it. Others leave out what they do not know. */
  readonly always?: true;
  /** Null where it is known not to apply. */
  readonly nullable?: true;
  /** Left out of a row that does not have it. Other columns are null there. */
  readonly sparse?: true;
}

/**
 * What a value is, and how it is written. In the record of a call dollars are whole micro-dollars and a rate is text, since
 * a record counts with whole numbers. In the Audit table and on the wire dollars are decimal numbers, a cap that is not
 * set is left out, and a time is ISO 8601 text.
 */
export type AuditKind = keyof ValueOfKind;

interface ValueOfKind {
  readonly text: string;
  /** Whole. */
  readonly number: number;
  readonly rate: number;
  readonly flag: boolean;
  readonly usd: MicroUsd;
  readonly cap: MicroUsd;
  /** Milliseconds since 1970. */
  readonly time: number;
  readonly list: readonly string[];
  readonly map: Readonly<Record<string, string>>;
}

/** `request`: known before a call is forwarded. `outcome`: known afterwards. */
export type FactsSource = "request" | "outcome";

type Table = typeof AUDIT_FIELDS;
export type AuditFieldName = keyof Table;

type Plain<Field extends AuditField> = Field extends { readonly of: readonly (infer Value)[] }
  ? Value
  : ValueOfKind[Field["kind"]];
type Value<Field extends AuditField> =
  | Plain<Field>
  | (Field extends { readonly nullable: true } ? null : never);

/** What an event or a row says; money in micro-dollars. Absent where the event does not know it. */
export type AuditFields = {
  /** Start of the attempt, or time of the change, in milliseconds: the same on all events of a row. */
  readonly atMs: number;
} & {
  readonly [Name in AuditFieldName as Table[Name] extends { readonly always: true } ? Name : never]: Value<
    Table[Name]
  >;
} & {
  readonly [Name in AuditFieldName as Table[Name] extends { readonly always: true } ? never : Name]?: Value<
    Table[Name]
  >;
};

/** What the record of a call keeps for its row. */
type Facts<Source extends FactsSource> = {
  readonly [Name in AuditFieldName as Table[Name] extends { readonly keptWith: readonly (infer Kept)[] }
    ? Source extends Kept
      ? Name
      : never
    : never]: Value<Table[Name]>;
};

/** What is known of a request before it is forwarded. Text of callers is redacted. */
export type RequestFacts = Facts<"request">;

/** What is known afterwards. */
export type OutcomeFacts = Facts<"outcome">;

/** The columns and how they are written, in order. */
export const AUDIT_COLUMNS: readonly (readonly [AuditFieldName, AuditField])[] = Object.entries(
  AUDIT_FIELDS,
) as [AuditFieldName, AuditField][];

const UNKNOWN: Readonly<Partial<Record<AuditKind, unknown>>> = { flag: false, number: 0 };

/** The outcome of an attempt whose process died before it wrote one. */
export const NOTHING_KNOWN = Object.fromEntries(
  AUDIT_COLUMNS.filter(([, { keptWith }]) => keptWith?.includes("outcome") === true).map(
    ([name, { kind, nullable }]) => [name, nullable === true ? null : UNKNOWN[kind]],
  ),
) as OutcomeFacts;
