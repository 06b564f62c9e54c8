import { randomHex } from "../shared/hex.ts";

/** A SID: two letters that tell what it names, and 32 hexadecimal digits. */
export const newSid = (prefix: "SM" | "MM" | "CA" | "VA" | "VE" | "VL" | "PN" | "LK" | "RQ"): string =>
  `${prefix}${randomHex(32)}`;

export const isSid = (prefix: "AC" | "MG" | "VA", text: string): boolean =>
  text.startsWith(prefix) && /^[A-Z]{2}[0-9a-fA-F]{32}$/.test(text);
