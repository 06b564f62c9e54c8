import * as v from "valibot";
import { SCOPES } from "../domain/api-key.ts";
import {
  actor,
  apiKeyId,
  count,
  pageOf,
  text,
  textsOrNone,
  time,
  timeOrNone,
  usdOrNone,
} from "./answer-fields.ts";
import { capsSchema } from "./key-answer-schema.ts";

/** What api-key-answer.ts makes, for the OpenAPI document and its test. */

const fields = {
  name: text,
  status: v.picklist(["active", "revoked"]),
  scopes: v.array(v.picklist(SCOPES)),
  allowed_vendors: textsOrNone,
  allowed_credentials: textsOrNone,
  allowed_endpoints: textsOrNone,
  max_daily_usd_cap: usdOrNone,
  max_total_usd_cap: usdOrNone,
  max_per_call_usd_cap: usdOrNone,
  max_expires_in_s: v.nullable(count),
  daily_usd_cap: usdOrNone,
  total_usd_cap: usdOrNone,
  issuer_id: actor,
  issued_at: time,
  revoked_at: timeOrNone,
  caps: capsSchema,
};

export const apiKeySchema = v.strictObject({ id: apiKeyId, ...fields });

export const createdApiKeySchema = v.strictObject({
  id: apiKeyId,
  api_key: v.pipe(v.string(), v.regex(/^kbak[A-Za-z0-9]{54}$/)),
  ...fields,
  status: v.literal("active"),
  revoked_at: v.null(),
});

export const apiKeyPageSchema = pageOf(apiKeySchema);
