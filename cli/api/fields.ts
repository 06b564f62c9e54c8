/** A JSON object of an answer, by the names of the wire. */
export type Fields = Readonly<Record<string, unknown>>;

/** The JSON object that a text is, or null. */
export function objectIn(text: string): Fields | null {
  try {
    const value: unknown = JSON.parse(text);
    return isFields(value) ? value : null;
  } catch {
    return null;
  }
}

export const isFields = (value: unknown): value is Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value);
