/** Help of several lines, none wider than the narrowest usual terminal. */
export const lines = (...all: readonly string[]): string => all.join("\n");
