import * as v from "valibot";
import { text, usd } from "./answer-fields.ts";

/** What resolve-bodies.ts answers, for the OpenAPI document and its test. */
export const closedCallSchema = v.strictObject({
  call_id: text,
  state: v.picklist(["settled", "released"]),
  reserved_usd: usd,
  cost_usd: usd,
  by: text,
});
