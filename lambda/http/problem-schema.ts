import * as v from "valibot";
import { SCOPES } from "../domain/api-key.ts";
import { type ProblemCode, STATUS_BY_CODE } from "../domain/problem.ts";
import { actor, apiKeyId, keyId, text, time } from "./answer-fields.ts";
import { errorType } from "./answers.ts";

/** The errors of our own API, for the OpenAPI document and its test. */

/** What stands beside the message, by code; other codes have nothing. */
const DETAILS: Readonly<Partial<Record<ProblemCode, v.ObjectEntries>>> = {
  key_expired: { key_id: keyId, expires_at: time },
  key_revoked: {
    key_id: v.union([keyId, apiKeyId]),
    revoked_at: time,
    stop_id: v.optional(text),
    stopped_by: v.optional(text),
    stop_reason: v.optional(v.nullable(text)),
  },
  run_stopped: {
    stop_id: text,
    stopped_by: text,
    stop_reason: v.nullable(text),
    stopped_at: time,
    until: time,
  },
  scope_missing: { api_key_id: apiKeyId, scope: v.picklist(SCOPES) },
  wider_than_issuer: {
    field: v.optional(text),
    issuer_id: v.optional(actor),
    key_id: v.optional(keyId),
    api_key_id: v.optional(apiKeyId),
  },
  chain_too_long: { key_id: v.union([keyId, apiKeyId]) },
  invalid_request: { field: text },
  unsupported_media_type: { field: v.literal("Content-Type") },
  already_issued: { id: keyId },
  key_not_changeable: { key_id: keyId },
  call_in_flight: { call_id: text },
  nothing_unresolved: { call_id: text },
};

/** The body of an error with this code. Nothing is charged where no vendor is called. */
export const problemSchema = (code: ProblemCode) =>
  v.strictObject({
    error: v.strictObject({
      type: v.literal(errorType(STATUS_BY_CODE[code])),
      code: v.literal(code),
      message: text,
      request_id: text,
      charged: v.literal("no"),
      ...DETAILS[code],
    }),
  });

/** What the gateway answers by itself (lib/gateway-responses.ts): it suits every vendor's SDK, and this part is ours. */
export const gatewayErrorSchema = v.looseObject({
  error: v.strictObject({
    type: text,
    code: v.pipe(v.string(), v.regex(/^gateway_[a-z0-9_]+$/)),
    message: text,
    request_id: text,
    charged: v.picklist(["no", "unknown"]),
  }),
});
