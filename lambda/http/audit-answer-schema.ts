import * as v from "valibot";
import { AUDIT_COLUMNS, type AuditField, type AuditKind } from "../domain/audit-fields.ts";
import { pageOf, text, texts, time, usd } from "./answer-fields.ts";
import { STATES } from "./audit-params.ts";

/** What audit-answer.ts makes, for the OpenAPI document and its test: the columns are those of the audit log. */

const KINDS: Readonly<Record<AuditKind, v.GenericSchema>> = {
  text,
  number: v.pipe(v.number(), v.integer()),
  rate: v.number(),
  flag: v.boolean(),
  usd,
  cap: usd,
  time,
  list: v.array(text),
  map: texts,
};

const schemaOf = ({ kind, of }: AuditField): v.GenericSchema =>
  of === undefined ? KINDS[kind] : v.picklist(of);

/** Every column is in a row, null where it does not apply; one that few rows have is left out of the others. */
const columns = Object.fromEntries(
  AUDIT_COLUMNS.map(([, column]) => [
    column.name,
    column.sparse === true ? v.optional(schemaOf(column)) : v.nullable(schemaOf(column)),
  ]),
);

/** An event says what it knows and leaves out the rest. */
export const auditEventSchema = v.strictObject({
  id: text,
  ...Object.fromEntries(AUDIT_COLUMNS.map(([, column]) => [column.name, v.optional(schemaOf(column))])),
  at: time,
  event: text,
  rank: v.pipe(v.number(), v.integer(), v.minValue(0)),
});

export const auditRowSchema = v.strictObject({
  id: text,
  at: time,
  ...columns,
  call_id: v.nullable(text),
  attempt: v.nullable(text),
  state: v.nullable(v.picklist(STATES)),
  events: v.optional(v.array(auditEventSchema)),
});

export const auditPageSchema = pageOf(auditRowSchema);
