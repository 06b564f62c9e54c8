/** What the API answers. The types are those of the schemas that the server's tests hold its answers against; nothing of them is in the page. */

import type { InferOutput } from "valibot";
import type { AUDIT_FIELDS, AuditField } from "../../lambda/domain/audit-fields.ts";
import type { STATES } from "../../lambda/http/audit-params.ts";
import type { capSchema, issuedKeySchema, keySchema } from "../../lambda/http/key-answer-schema.ts";
import type { loginSchema, whoSchema } from "../../lambda/http/login-answer-schema.ts";
import type {
  runSchema,
  runsSchema,
  spendGroupSchema,
  spendSchema,
} from "../../lambda/http/spend-answer-schema.ts";
import type { listedStopSchema, stopReachSchema, stopSchema } from "../../lambda/http/stop-answer-schema.ts";

export type Run = InferOutput<typeof runSchema>;
export type Runs = InferOutput<typeof runsSchema>;
export type Spend = InferOutput<typeof spendSchema>;
export type SpendGroup = InferOutput<typeof spendGroupSchema>;
export type Stop = InferOutput<typeof stopSchema>;
export type ListedStop = InferOutput<typeof listedStopSchema>;
export type StopReach = InferOutput<typeof stopReachSchema>;
export type Cap = InferOutput<typeof capSchema>;
export type Key = InferOutput<typeof keySchema>;
export type IssuedKey = InferOutput<typeof issuedKeySchema>;

export interface Page<T> {
  readonly data: readonly T[];
  readonly next_cursor: string | null;
}

/** Who is signed in. */
export type Login = InferOutput<typeof loginSchema>;
/** The same, or that nobody is. */
export type Who = InferOutput<typeof whoSchema>;

type OnTheWire = {
  readonly text: string;
  readonly number: number;
  readonly rate: number;
  readonly flag: boolean;
  readonly usd: number;
  readonly cap: number;
  readonly time: string;
  readonly list: readonly string[];
  readonly map: Readonly<Record<string, string>>;
};
type Table = typeof AUDIT_FIELDS;
type Value<Field extends AuditField> = Field extends { readonly of: readonly (infer One)[] }
  ? One
  : OnTheWire[Field["kind"]];

/** Every column of the audit log by its name; null where it does not apply, left out where a row does not have it. */
type Columns = { readonly [Name in keyof Table as Table[Name]["name"]]?: Value<Table[Name]> | null };

export type AuditEvent = Columns & { readonly id: string; readonly at: string; readonly event: string };

export type AuditRow = Columns & {
  readonly id: string;
  readonly at: string;
  readonly key_id: string;
  readonly vendor: string;
  readonly call_id: string | null;
  readonly attempt: string | null;
  readonly state: (typeof STATES)[number] | null;
  readonly events?: readonly AuditEvent[];
};
