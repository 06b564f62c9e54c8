import * as v from "valibot";
import { parseUsd } from "../domain/money.ts";
import { parseDuration } from "../domain/time.ts";

/** The fields that several bodies have. */

const EXPIRES_IN_S_MAX = 30 * 86_400;
const ENDPOINTS_MAX = 50;

/** Micro-dollars. */
const usd = v.pipe(
  v.union([v.number(), v.string()], 'expected decimal USD such as 50, 29.99 or "29.99"'),
  v.rawTransform(({ dataset, addIssue, NEVER }) => {
    const parsed = parseUsd(dataset.value);
    if (typeof parsed === "bigint") return parsed;
    addIssue({ message: parsed.refused });
    return NEVER;
  }),
);

const DURATION_ACCEPTED = 'expected a number with a unit such as "30s", "5m", "4h" or "7d", at most "30d"';
/** Seconds. */
export const duration = v.pipe(
  v.string(DURATION_ACCEPTED),
  v.rawTransform(({ dataset, addIssue, NEVER }) => {
    const seconds = parseDuration(dataset.value);
    if (seconds !== null && seconds <= EXPIRES_IN_S_MAX) return seconds;
    addIssue({ message: `got ${JSON.stringify(dataset.value.slice(0, 40))}; ${DURATION_ACCEPTED}` });
    return NEVER;
  }),
);

/** Null: none. */
export const cap = v.optional(v.nullable(usd));

/** The form of each entry is checked once its vendor is known. */
export const endpoints = v.optional(
  v.nullable(
    v.pipe(
      v.array(v.string('expected "METHOD /path"'), 'expected a list such as ["POST /v1/payment_intents"]'),
      v.minLength(
        1,
        "got an empty list, which allows nothing; name the endpoints, or leave it out to allow every priced or free endpoint",
      ),
      v.maxLength(ENDPOINTS_MAX, `expected at most ${ENDPOINTS_MAX} entries`),
    ),
  ),
  null,
);
