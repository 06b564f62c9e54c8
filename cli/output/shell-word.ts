/** One word of a POSIX shell, whatever is in the text. */
export const shellWord = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;
