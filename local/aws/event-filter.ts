/**
 * A pattern of Lambda's event filtering: an object names fields, a list the values that are accepted ("Filter rule syntax",
 * documentation of Lambda, read 2026-11-28). Of its rules only equality is here, since ours use no other.
 */
export type EventPattern = { readonly [field: string]: EventPattern | readonly string[] };

/** Whether Lambda would hand a record with this pattern to the function. */
export function passesFilter(pattern: EventPattern, record: unknown): boolean {
  return Object.entries(pattern).every(([field, wanted]) => {
    const value = fieldOf(record, field);
    return isList(wanted) ? typeof value === "string" && wanted.includes(value) : passesFilter(wanted, value);
  });
}

const isList = (wanted: EventPattern | readonly string[]): wanted is readonly string[] =>
  Array.isArray(wanted);

const fieldOf = (value: unknown, field: string): unknown =>
  typeof value === "object" && value !== null && Object.hasOwn(value, field)
    ? (value as Readonly<Record<string, unknown>>)[field]
    : undefined;
