import { randomBytes } from "node:crypto";

/** Random hexadecimal digits, an even number of them. Ids alone differ from run to run. */
export const randomHex = (digits: number): string => randomBytes(digits / 2).toString("hex");
