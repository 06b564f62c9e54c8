const NUMBER = new Intl.NumberFormat("en-US");

export const number = (count: number): string => NUMBER.format(count);

/** `1 key`, `2,000 keys`. */
export const counted = (count: number, one: string, many = `${one}s`): string =>
  `${NUMBER.format(count)} ${count === 1 ? one : many}`;

/** A share of a whole in per cent, from 0 to 100. */
export const percentOf = (part: number, whole: number): number =>
  whole <= 0 ? 0 : Math.min(100, Math.max(0, (part / whole) * 100));
