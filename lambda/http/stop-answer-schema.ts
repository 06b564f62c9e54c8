import * as v from "valibot";
import { actor, apiKeyId, count, keyId, pageOf, text, time, timeOrNone, usd } from "./answer-fields.ts";

/** What stop-answer.ts makes, for the OpenAPI document and its test. */

export const openCallsSchema = v.strictObject({ calls: count, usd });

export const stopSchema = v.strictObject({
  id: v.pipe(v.string(), v.regex(/^stop_[A-Za-z0-9]{1,40}$/)),
  agent_run_label: v.nullable(text),
  vendor: v.nullable(text),
  parent_id: v.nullable(keyId),
  api_key_id: v.nullable(apiKeyId),
  all: v.boolean(),
  reason: v.nullable(text),
  by: text,
  at: time,
  until: time,
  lifted_at: timeOrNone,
  lifted_by: v.nullable(actor),
  state: v.picklist(["revoking", "in_force", "lifted", "ended"]),
  keys_revoked: count,
  revoked_at: timeOrNone,
  calls_since: v.nullable(count),
  in_flight: v.nullable(openCallsSchema),
  unresolved: v.nullable(openCallsSchema),
});

/** In a list nobody looked what became of the calls. */
export const listedStopSchema = v.strictObject({
  ...stopSchema.entries,
  calls_since: v.null(),
  in_flight: v.null(),
  unresolved: v.null(),
});

export const stopPageSchema = pageOf(listedStopSchema);

export const stopReachSchema = v.strictObject({
  dry_run: v.literal(true),
  keys: count,
  runs: count,
  exposure_usd: usd,
  in_flight: openCallsSchema,
  complete: v.boolean(),
});
