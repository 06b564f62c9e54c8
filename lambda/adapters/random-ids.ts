import { randomInt } from "node:crypto";
import type { Ids } from "../ports/ids.ts";

const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

/** Ids and secrets from the system's random source, each character evenly likely. */
export const randomIds: Ids = {
  random: (length) => Array.from({ length }, () => ALPHABET[randomInt(ALPHABET.length)]).join(""),
};
