import * as v from "valibot";
import { KEY_STATUSES } from "../domain/key-status.ts";
import {
  actor,
  count,
  keyId,
  pageOf,
  text,
  texts,
  textsOrNone,
  time,
  timeOrNone,
  usd,
  usdOrNone,
} from "./answer-fields.ts";

/** What key-answer.ts makes, for the OpenAPI document and its test. */

const left = {
  spent_usd: usd,
  reserved_usd: usd,
  remaining_usd: usd,
  exceeded_by_usd: usd,
  resets_at: timeOrNone,
};

export const capSchema = v.strictObject({ usd_cap: usd, ...left });

export const capsSchema = v.strictObject({ daily: v.optional(capSchema), total: v.optional(capSchema) });

const policy = {
  vendor: text,
  credential: text,
  base_url: v.pipe(v.string(), v.url()),
  status: v.picklist(KEY_STATUSES),
  mode: v.picklist(["enforce", "observe"]),
  agent_run_label: v.nullable(text),
  metadata: texts,
  allowed_endpoints: textsOrNone,
  allowed_accounts: textsOrNone,
  allowed_currencies: textsOrNone,
  allowed_recipients: textsOrNone,
  max_recipients: v.nullable(count),
  max_calls_per_minute: v.nullable(count),
  issuer_id: actor,
  parent_id: v.nullable(keyId),
  issued_at: time,
  expires_at: time,
  expires_in_s: count,
  revoked_at: timeOrNone,
  daily_usd_cap: usdOrNone,
  total_usd_cap: usdOrNone,
  per_call_usd_cap: usdOrNone,
  ...left,
  caps: capsSchema,
};

export const keySchema = v.strictObject({ id: keyId, ...policy });

export const keyPageSchema = pageOf(keySchema);

/** A new key is in use. */
export const issuedKeySchema = v.strictObject({
  id: keyId,
  vault_key: v.pipe(v.string(), v.regex(/^kbvk[A-Za-z0-9]{54}$/)),
  ...policy,
  status: v.literal("active"),
  revoked_at: v.null(),
});
