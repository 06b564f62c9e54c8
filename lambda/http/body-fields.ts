import * as v from "valibot";
import { parseUsd } from "../domain/money.ts";
import { parseDuration } from "../domain/time.ts";

/** The fields that several bodies have. */

const EXPIRES_IN_S_MAX = 30 * 86_400;
const ENDPOINTS_MAX = 50;

/** Micro-dollars. */
export const usd = v.pipe(
  v.union(
    [
      v.pipe(v.number(), v.metadata({ minimum: 0, maximum: 1e9 })),
      v.pipe(v.string(), v.metadata({ pattern: "^(\\d{1,9}|1000000000)(\\.\\d{1,6})?$" })),
    ],
    'expected decimal USD such as 50, 29.99 or "29.99"',
  ),
  v.rawTransform(({ dataset, addIssue, NEVER }) => {
    const parsed = parseUsd(dataset.value);
    if (typeof parsed === "bigint") return parsed;
    addIssue({ message: parsed.refused });
    return NEVER;
  }),
);

/** What is read, as the OpenAPI document says it: 30 days at most in each unit. */
const DURATION_PATTERN = [
  "([1-9]\\d{0,5}|1\\d{6}|2[0-4]\\d{5}|25[0-8]\\d{4}|259[01]\\d{3}|2592000)s",
  "([1-9]\\d{0,3}|[1-3]\\d{4}|4[0-2]\\d{3}|43[01]\\d{2}|43200)m",
  "([1-9]\\d?|[1-6]\\d{2}|7[01]\\d|720)h",
  "([1-9]|[12]\\d|30)d",
]
  .map((each) => `^${each}$`)
  .join("|");
const DURATION_ACCEPTED = 'expected a number with a unit such as "30s", "5m", "4h" or "7d", at most "30d"';
/** Seconds. */
export const duration = v.pipe(
  v.string(DURATION_ACCEPTED),
  v.metadata({ pattern: DURATION_PATTERN }),
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
