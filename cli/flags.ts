import type { Cli } from "./context.ts";

/** Flags that several commands have, and how what they take is read. */

const text = (input: string): string => input;

/** A text that the API reads. */
export const textFlag = <P extends string>(brief: string, placeholder: P) =>
  ({ kind: "parsed", parse: text, optional: true, brief, placeholder }) as const;

/** A text that may be given several times. */
export const textsFlag = <P extends string>(brief: string, placeholder: P) =>
  ({ kind: "parsed", parse: text, optional: true, variadic: true, brief, placeholder }) as const;

/** `true` where it is given, else absent; it has no `--no-…`. */
export const switchFlag = (brief: string) =>
  ({ kind: "boolean", optional: true, withNegated: false, brief }) as const;

/**
 * US dollars as decimal text, so that no float comes between what was typed and what is kept. A dollar sign before it is fine.
 * Throws a RangeError for anything else.
 */
function usd(input: string): string {
  const [, amount] = /^\$?(\d{1,10}(?:\.\d{1,6})?)$/.exec(input) ?? [];
  if (amount === undefined)
    throw new RangeError("expected US dollars with at most six decimal places, such as 50 or 29.99");
  return amount;
}

/** In place of an amount it takes a cap away. */
export const NONE = "none";

export const usdOrNone = (input: string): string => (input === NONE ? NONE : usd(input));

export const usdFlag = (brief: string) =>
  ({ kind: "parsed", parse: usd, optional: true, brief, placeholder: "USD" }) as const;

/** A whole number from 1 on. */
function positiveInteger(input: string): number {
  if (!/^[1-9]\d{0,8}$/.test(input)) throw new RangeError("expected a whole number from 1 on");
  return Number(input);
}

export const countFlag = (brief: string) =>
  ({ kind: "parsed", parse: positiveInteger, optional: true, brief, placeholder: "N" }) as const;

/** `--url` and `--json`. */
export const COMMON = {
  url: textFlag("base URL of Keybrake, in place of KEYBRAKE_URL", "URL"),
  json: switchFlag("print the API's JSON"),
} as const;

/** The vendors that this version knows; a configured one can be named too. */
async function vendorNames(): Promise<readonly string[]> {
  const { vendorRegistry } = await import("../lambda/vendors/index.ts");
  return vendorRegistry().names;
}

async function vendorsLike(this: Cli, partial: string): Promise<readonly string[]> {
  return (await vendorNames()).filter((name) => name.startsWith(partial));
}

export const VENDOR = {
  ...textFlag("vendor of the key", "VENDOR"),
  proposeCompletions: vendorsLike,
} as const;

export const LABEL = textFlag("label, or a beginning with a last *", "LABEL");
