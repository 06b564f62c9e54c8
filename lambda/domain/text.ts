/** The beginning of a text that is kept: whole characters, since half of a pair of surrogates is none that could be stored. */
export const cut = (text: string, lengthMax: number): string => text.slice(0, lengthMax).toWellFormed();
