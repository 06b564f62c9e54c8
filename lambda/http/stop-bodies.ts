import * as v from "valibot";
import type { StopRequest } from "../app/stops/order-stop.ts";
import { labelMatchOf } from "../domain/label-match.ts";
import type { Secrets } from "../domain/secrets.ts";
import { REASON_LENGTH_MAX } from "../domain/stop.ts";
import { duration } from "./body-fields.ts";
import { LABEL_LENGTH_MAX } from "./key-bodies.ts";
import { invalid, parseBody } from "./parse-body.ts";

/** The body of `POST /vault/stops`. Unknown fields are refused: a misspelt criterion must not make a stop wider. */

const STOP_FOR_DEFAULT = "24h";

const LABEL_ACCEPTED = `expected a label of at most ${LABEL_LENGTH_MAX} characters, or the beginning of labels with a last "*" such as "modal-billing/*"`;
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is refused.
const LABEL = /^[^\u0000-\u001f\u007f*]{1,256}\*?$/;
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is refused.
const REASON = /^[^\u0000-\u001f\u007f]+$/;
const REASON_ACCEPTED = `expected text of 1 to ${REASON_LENGTH_MAX} characters without control characters`;

/** `POST /vault/stops`. */
export const stopBody = v.strictObject({
  agent_run_label: v.optional(
    v.nullable(v.pipe(v.string(LABEL_ACCEPTED), v.regex(LABEL, LABEL_ACCEPTED))),
    null,
  ),
  vendor: v.optional(v.nullable(v.string("expected the name of a vendor")), null),
  parent_id: v.optional(
    v.nullable(
      v.pipe(
        v.string("expected the id of a vault key"),
        v.regex(/^key_[A-Za-z0-9]{16}$/, 'expected the id of a vault key, such as "key_lfZWyPTEPuKBj0h6"'),
      ),
    ),
    null,
  ),
  api_key_id: v.optional(
    v.nullable(
      v.pipe(
        v.string("expected the id of an API key"),
        v.regex(/^ak_[A-Za-z0-9]{16}$/, 'expected the id of an API key, such as "ak_lfZWyPTEPuKBj0h6"'),
      ),
    ),
    null,
  ),
  all: v.optional(v.nullable(v.literal(true, "expected true, or leave it out")), null),
  stop_for: v.optional(duration, STOP_FOR_DEFAULT),
  reason: v.optional(
    v.nullable(
      v.pipe(
        v.string(REASON_ACCEPTED),
        v.maxLength(REASON_LENGTH_MAX, REASON_ACCEPTED),
        v.regex(REASON, REASON_ACCEPTED),
      ),
    ),
    null,
  ),
  dry_run: v.optional(v.boolean("expected true or false"), false),
});

export interface Stopping {
  /** Names of the vendors that there are. */
  readonly vendors: readonly string[];
  readonly secrets: Secrets;
  /** What the caller shows, which no stored text may contain. */
  readonly token: string | null;
}

/** Reads the body of `POST /vault/stops`, or throws a Problem that names the field and says what was expected. */
export function parseStopBody(
  body: unknown,
  { vendors, secrets, token }: Stopping,
): StopRequest & { readonly isDryRun: boolean } {
  const parsed = parseBody(stopBody, body);
  const { agent_run_label: label, vendor, parent_id: parentId, api_key_id: apiKeyId, all, reason } = parsed;
  const criteria = [label, vendor, parentId, apiKeyId].filter((each) => each !== null);
  if (criteria.length === 0 && all === null)
    throw invalid(
      "agent_run_label",
      'missing; a stop names agent_run_label, vendor, parent_id or api_key_id, or has "all": true',
    );
  if (criteria.length > 0 && all !== null)
    throw invalid("all", "got true beside other criteria; leave it out, or leave the others out");
  if (vendor !== null && !vendors.includes(vendor))
    throw invalid(
      "vendor",
      `got ${JSON.stringify(vendor.slice(0, 40))}; expected one of: ${vendors.join(", ")}`,
    );
  refuseSecrets({ agent_run_label: label, reason }, token, secrets);
  return {
    matcher: {
      label: label === null ? null : labelMatchOf(label),
      vendor,
      parentId,
      apiKeyId,
      vendors: null,
      credentials: null,
    },
    stopForS: parsed.stop_for,
    reason,
    isDryRun: parsed.dry_run,
  };
}

/** The texts of a stop are stored, and shown to everybody whom it stops. */
function refuseSecrets(
  texts: Readonly<Record<string, string | null>>,
  token: string | null,
  { secretIn }: Secrets,
): void {
  const known = token === null ? [] : [token, token.replace(/^kb_/, "")].filter(({ length }) => length >= 8);
  for (const [field, text] of Object.entries(texts)) {
    const kind = text === null ? null : secretIn(text, known);
    if (kind !== null)
      throw invalid(
        field,
        `contains ${kind}; this field is stored and shown, so it must not contain a secret; leave it out, and replace the secret if it was sent elsewhere too`,
      );
  }
}
