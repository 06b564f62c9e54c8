import * as v from "valibot";
import { count, text, time, timeOrNone, usd } from "./answer-fields.ts";

/** What spend-answer.ts makes, for the OpenAPI document and its test. */

const sums = { spent_usd: usd, allowed_calls: count, denied_calls: count };

export const spendSumsSchema = v.strictObject(sums);
export const spendGroupSchema = v.strictObject({ group: text, ...sums });

export const spendSchema = v.strictObject({
  data: v.array(spendGroupSchema),
  total: v.nullable(spendSumsSchema),
  next_cursor: v.nullable(text),
});

const minutes = { calls_1m: count, spent_usd_1m: usd, calls_5m: count, spent_usd_5m: usd };

export const runSchema = v.strictObject({
  label_group: v.nullable(text),
  agent_run_label: v.nullable(text),
  labels: v.nullable(count),
  ...minutes,
  spent_usd: usd,
  exposure_usd: usd,
  exposure_complete: v.boolean(),
  live_keys: count,
  denied_calls: count,
  last_call_at: time,
  stop_label: text,
  stop_command: text,
});

const runsTotalSchema = v.strictObject(minutes);

export const runsSchema = v.strictObject({
  data: v.array(runSchema),
  complete: v.boolean(),
  total: runsTotalSchema,
  as_of: time,
  recorded_to: timeOrNone,
});
