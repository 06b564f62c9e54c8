import { randomFillSync } from "node:crypto";

const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
const pool = Buffer.alloc(8192);
let used = pool.length;

/** Random letters and digits, as in Stripe's ids. The only thing in the simulator that differs from run to run. */
export function randomText(length: number): string {
  if (used + length > pool.length) {
    randomFillSync(pool);
    used = 0;
  }
  let text = "";
  for (const byte of pool.subarray(used, used + length)) text += ALPHABET.charAt(byte % ALPHABET.length);
  used += length;
  return text;
}

export const newId = {
  paymentIntent: () => `pi_3${randomText(23)}`,
  charge: () => `ch_3${randomText(23)}`,
  refund: () => `re_3${randomText(23)}`,
  paymentMethod: () => `pm_1${randomText(23)}`,
  card: () => `card_1${randomText(23)}`,
  balanceTransaction: () => `txn_3${randomText(23)}`,
  customer: () => `cus_${randomText(14)}`,
  /** Of a kind that has a prefix and nothing more to it: `po_1…`. */
  of: (prefix: string) => `${prefix}_1${randomText(23)}`,
  product: () => `prod_${randomText(14)}`,
  request: () => `req_${randomText(14)}`,
};
