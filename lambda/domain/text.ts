/** The start of a text, cut between whole characters: half of a surrogate pair cannot be stored. */
export const cut = (text: string, lengthMax: number): string => text.slice(0, lengthMax).toWellFormed();
