import * as v from "valibot";

/** Fields of what an operator writes, with messages that say what would be accepted. */

export const text = (pattern: RegExp, accepted: string) =>
  v.pipe(v.string(`expected ${accepted}`), v.regex(pattern, `expected ${accepted}`));

/** A whole number, both ends included. */
export const whole = (from: number, to: number) => {
  const accepted = `expected a whole number from ${from} to ${to}`;
  return v.pipe(
    v.number(accepted),
    v.integer(accepted),
    v.minValue(from, accepted),
    v.maxValue(to, accepted),
  );
};
