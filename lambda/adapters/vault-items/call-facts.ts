import * as v from "valibot";
import {
  AUDIT_COLUMNS,
  type AuditField,
  type AuditFieldName,
  type AuditKind,
  type FactsSource,
  type OutcomeFacts,
  type RequestFacts,
} from "../../domain/audit-fields.ts";
import { money, orNull, whole } from "./codec.ts";

/**
 * What the record of a call keeps for its row, as maps of an attempt: `request` and `outcome`. Made of the table of
 * columns, so that a new one is kept without a line here.
 */
interface FactsOf {
  readonly request: RequestFacts;
  readonly outcome: OutcomeFacts;
}

const keptWith = (source: FactsSource): readonly (readonly [AuditFieldName, AuditField])[] =>
  AUDIT_COLUMNS.filter(([, field]) => field.keptWith?.includes(source) === true);

const COLUMNS = { request: keptWith("request"), outcome: keptWith("outcome") } as const;

const keptName = ({ name, keptAs }: AuditField): string => keptAs ?? name;

const SCHEMAS: Readonly<Record<AuditKind, v.GenericSchema>> = {
  text: v.string(),
  number: whole,
  // Text, since whole numbers are what a record counts with.
  rate: v.pipe(v.string(), v.transform(Number)),
  flag: v.boolean(),
  usd: money,
  cap: money,
  time: whole,
  list: v.array(v.string()),
  map: v.record(v.string(), v.string()),
};

/** Reads one of the maps. A column that an older record does not have is null; one that may not be null is required. */
export function factsSchema<Source extends FactsSource>(source: Source) {
  const columns = COLUMNS[source];
  const entries = columns.map(([, field]) => {
    const schema = SCHEMAS[field.kind];
    return [keptName(field), field.nullable === true ? orNull(schema) : schema] as const;
  });
  return v.pipe(
    v.object(Object.fromEntries(entries)),
    v.transform(
      (kept) =>
        Object.fromEntries(columns.map(([name, field]) => [name, kept[keptName(field)]])) as FactsOf[Source],
    ),
  );
}

/** One of the maps, as plain values; what is null is left out. */
export function keptFacts<Source extends FactsSource>(
  source: Source,
  facts: FactsOf[Source],
): Record<string, unknown> {
  const values: Readonly<Partial<Record<AuditFieldName, unknown>>> = facts;
  return Object.fromEntries(
    COLUMNS[source].map(([name, field]) => {
      const value = values[name] ?? undefined;
      return [keptName(field), field.kind === "rate" && value !== undefined ? `${value}` : value];
    }),
  );
}
