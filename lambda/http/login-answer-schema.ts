import * as v from "valibot";
import { SCOPES } from "../domain/api-key.ts";
import { count, text, textsOrNone, time, timeOrNone } from "./answer-fields.ts";

/** What login-answer.ts makes, for the OpenAPI document and its test. */

const link = v.strictObject({ begins: text, live: text, test: v.nullable(text) });

/** What the page knows of a vendor: `VendorPage` of its folder. */
const page = v.strictObject({
  objects: v.array(link),
  request: v.nullable(link),
  endpoint: text,
  snippets: v.strictObject({ python: text, node: text, curl: text }),
});

export const loginSchema = v.strictObject({
  api_key_id: v.pipe(v.string(), v.regex(/^(admin|ak_[A-Za-z0-9]{16})$/)),
  name: text,
  scopes: v.array(v.picklist(SCOPES)),
  allowed_vendors: textsOrNone,
  allowed_credentials: textsOrNone,
  ends_at: timeOrNone,
  ends_in_s: v.nullable(count),
  base_url: text,
  vendors: v.array(v.strictObject({ name: text, title: text, page: v.nullable(page) })),
});

export const signedOutSchema = v.strictObject({ signed_in: v.literal(false) });

/** What the page gets that asks who is signed in. */
export const whoSchema = v.union([loginSchema, signedOutSchema]);

export const loginCodeSchema = v.strictObject({
  code: v.pipe(v.string(), v.regex(/^[A-Za-z0-9]{32}$/)),
  url: text,
  expires_at: time,
  expires_in_s: count,
});
