import * as v from "valibot";
import type { KeyRequest } from "../app/keys/issue-key.ts";
import type { KeyChangeRequest } from "../app/keys/manage-key.ts";
import { UNCAPPED } from "../domain/balance.ts";
import type { CallLimits } from "../domain/call-limits.ts";
import { parseEndpointPattern } from "../domain/endpoint.ts";
import type { Secrets } from "../domain/secrets.ts";
import { isJsonObject } from "../domain/strict-json.ts";
import type { LimitName, Vendor } from "../domain/vendor.ts";
import { entryProblem } from "../vendors/did-you-mean.ts";
import type { VendorRegistry } from "../vendors/registry.ts";
import { cap, duration, endpoints } from "./body-fields.ts";
import { invalid, knownSecrets, parseBody } from "./parse-body.ts";

/** The bodies of requests about keys. Unknown fields are refused: a misspelt cap must not leave a key uncapped. */

export const LABEL_LENGTH_MAX = 256;
const METADATA_BYTES_MAX = 1024;
const ENTRIES_MAX = 50;
const RECIPIENTS_MAX = 10_000;

/** No control characters, and no `*`, which ends a query for a prefix. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is refused.
const LABEL = /^[^\u0000-\u001f\u007f-\u009f*]+$/;
const label = v.pipe(
  v.string(`expected text of at most ${LABEL_LENGTH_MAX} characters`),
  v.nonEmpty("got an empty string; leave it out instead"),
  v.maxLength(LABEL_LENGTH_MAX, `expected text of at most ${LABEL_LENGTH_MAX} characters`),
  v.regex(LABEL, 'expected text without control characters and without "*"'),
);

const METADATA_ACCEPTED = "expected an object of strings";
/** Names that some program on the way to a reader of the audit log would lose, or that no table takes. */
const NAMES_LOST = ["", "__proto__", "constructor", "prototype"];
const metadata = v.pipe(
  v.custom<Readonly<Record<string, string>>>(isJsonObject, METADATA_ACCEPTED),
  v.metadata({ type: "object", additionalProperties: { type: "string" } }),
  v.rawCheck(({ dataset, addIssue }) => {
    if (!dataset.typed) return;
    for (const [key, value] of Object.entries<unknown>(dataset.value)) {
      const message = NAMES_LOST.includes(key)
        ? `${JSON.stringify(key)} cannot be used as a name; use another one`
        : "expected a string";
      if (typeof value !== "string" || NAMES_LOST.includes(key))
        addIssue({ message, path: [{ type: "object", origin: "value", input: dataset.value, key, value }] });
    }
  }),
  v.check(
    (value) => Buffer.byteLength(JSON.stringify(value)) <= METADATA_BYTES_MAX,
    `expected at most ${METADATA_BYTES_MAX} bytes as JSON`,
  ),
);

/** The vendor decides which entries a list may have, so they are checked once it is known. */
const entries = (example: string) =>
  v.optional(
    v.nullable(
      v.pipe(
        v.array(v.string(`expected a list such as ${example}`), `expected a list such as ${example}`),
        v.minLength(1, "got an empty list, which allows nothing; leave it out for no limit"),
        v.maxLength(ENTRIES_MAX, `expected at most ${ENTRIES_MAX} entries`),
      ),
    ),
    null,
  );

const RECIPIENTS_ACCEPTED = `expected a whole number from 1 to ${RECIPIENTS_MAX}`;
const limitFields = {
  allowed_accounts: entries('["acct_1032D82eZvKYlo2C"]'),
  allowed_currencies: entries('["usd", "eur"]'),
  allowed_recipients: entries('["example.com"]'),
  max_recipients: v.optional(
    v.nullable(
      v.pipe(
        v.number(RECIPIENTS_ACCEPTED),
        v.integer(RECIPIENTS_ACCEPTED),
        v.minValue(1, RECIPIENTS_ACCEPTED),
        v.maxValue(RECIPIENTS_MAX, RECIPIENTS_ACCEPTED),
      ),
    ),
    null,
  ),
} satisfies Record<LimitName, v.GenericSchema>;

const MODE_ACCEPTED = 'expected "enforce" or "observe"';
const RATE_MAX = 100_000;
const RATE_ACCEPTED = `expected a whole number from 1 to ${RATE_MAX}`;
/** What holds for the key's balance, whatever a call is about. */
const balanceFields = {
  mode: v.optional(v.picklist(["enforce", "observe"], MODE_ACCEPTED), "enforce"),
  max_calls_per_minute: v.optional(
    v.nullable(
      v.pipe(
        v.number(RATE_ACCEPTED),
        v.integer(RATE_ACCEPTED),
        v.minValue(1, RATE_ACCEPTED),
        v.maxValue(RATE_MAX, RATE_ACCEPTED),
      ),
    ),
    null,
  ),
};

/** `POST /vault/keys`. */
export const issueBody = v.strictObject({
  vendor: v.optional(v.string("expected the name of a vendor")),
  credential: v.optional(v.string("expected the name of a credential")),
  daily_usd_cap: cap,
  total_usd_cap: cap,
  per_call_usd_cap: cap,
  allowed_endpoints: endpoints,
  ...limitFields,
  ...balanceFields,
  expires_in: v.optional(duration),
  agent_run_label: v.optional(v.nullable(label), null),
  metadata: v.optional(metadata, {}),
});

/** `PATCH /vault/keys/{id}`. */
export const changeBody = v.strictObject({
  daily_usd_cap: cap,
  total_usd_cap: cap,
  per_call_usd_cap: cap,
  expires_in: v.optional(duration),
});

/** What a new key can be for, and who asks for it. */
export interface Issuing {
  readonly vendors: VendorRegistry;
  /** Vendor -> names of its credentials. */
  readonly credentials: Readonly<Record<string, readonly string[]>>;
  /** What the caller shows, which no stored text may contain. */
  readonly token: string | null;
  /** The key that issues a child: the child is for its vendor and credential unless it says otherwise. */
  readonly parent: { readonly vendor: string; readonly credential: string } | null;
}

/** Reads the body of `POST /vault/keys`, or throws a Problem that names the field and says what was expected. */
export function parseIssueBody(body: unknown, { vendors, credentials, token, parent }: Issuing): KeyRequest {
  const parsed = parseBody(issueBody, body);
  refuseSecrets(parsed, token, vendors.secrets);
  const vendorName = parsed.vendor ?? parent?.vendor;
  if (vendorName === undefined) throw invalid("vendor", "missing");
  const names = Object.hasOwn(credentials, vendorName) ? credentials[vendorName] : undefined;
  const accepted = Object.keys(credentials).join(", ");
  if (names === undefined)
    throw invalid("vendor", `got ${JSON.stringify(vendorName.slice(0, 40))}; expected one of: ${accepted}`);
  const vendor = vendors.find(vendorName);
  const credential = parsed.credential ?? parent?.credential ?? vendor?.defaultCredential ?? "";
  if (!names.includes(credential))
    throw invalid(
      "credential",
      `got ${JSON.stringify(credential.slice(0, 40))}; expected one of: ${names.join(", ")}`,
    );
  return {
    vendor: vendorName,
    credential,
    caps: {
      daily: parsed.daily_usd_cap ?? undefined,
      total: parsed.total_usd_cap ?? undefined,
      perCall: parsed.per_call_usd_cap ?? undefined,
    },
    allowedEndpoints: endpointsOf(parsed.allowed_endpoints, vendor, vendors),
    limits: limitsOf(parsed, vendor),
    mode: parsed.mode,
    maxCallsPerMinute: parsed.max_calls_per_minute,
    expiresInS: parsed.expires_in ?? null,
    label: parsed.agent_run_label,
    metadata: parsed.metadata,
  };
}

/** Checks the form of every entry first, and then that each can match a call. */
function endpointsOf(
  entries: readonly string[] | null,
  vendor: Vendor | null,
  { all }: VendorRegistry,
): readonly string[] | null {
  if (entries === null || vendor === null) return entries;
  const odd = entries.findIndex((entry) => "refused" in parseEndpointPattern(entry));
  const numbered = [...entries.entries()];
  for (const [index, entry] of odd < 0 ? numbered : numbered.slice(odd, odd + 1)) {
    const problem = entryProblem(vendor, entry, all);
    if (problem !== null)
      throw invalid(`allowed_endpoints.${index}`, `got ${JSON.stringify(entry.slice(0, 80))}; ${problem}`);
  }
  return entries;
}

/** Every text of a key is stored and shown, so a secret in one of them is refused, and never repeated. */
function refuseSecrets(
  parsed: v.InferOutput<typeof issueBody>,
  token: string | null,
  { secretIn }: Secrets,
): void {
  const known = knownSecrets(token);
  const texts: readonly (readonly [field: string, text: string])[] = [
    ["vendor", parsed.vendor ?? ""],
    ["credential", parsed.credential ?? ""],
    ["agent_run_label", parsed.agent_run_label ?? ""],
    ...Object.entries(parsed.metadata).flatMap(([name, text]) => [
      ["metadata", name] as const,
      [secretIn(name, known) === null ? `metadata.${name}` : "metadata", `${name}=${text}`] as const,
    ]),
    ...(
      ["allowed_endpoints", "allowed_accounts", "allowed_currencies", "allowed_recipients"] as const
    ).flatMap((field) => (parsed[field] ?? []).map((entry) => [field, entry] as const)),
  ];
  for (const [field, text] of texts) {
    const kind = secretIn(text, known);
    if (kind !== null)
      throw invalid(
        field,
        `contains ${kind}; this field is stored and shown, so it must not contain a secret; leave it out, and replace the secret if it was sent elsewhere too`,
      );
  }
}

/** Refuses a limit that has no effect at this vendor, so that nobody relies on it. */
function limitsOf(
  parsed: Pick<v.InferOutput<typeof issueBody>, LimitName>,
  vendor: Vendor | null,
): CallLimits {
  for (const name of Object.keys(limitFields) as LimitName[]) {
    if (parsed[name] !== null && vendor?.limits.includes(name) !== true)
      throw invalid(
        name,
        `${vendor?.name ?? "this vendor"} has no such limit; expected ${vendor?.limits.join(", ") ?? "none"}`,
      );
  }
  const check = (
    name: "allowed_accounts" | "allowed_currencies" | "allowed_recipients",
    accepted: string,
    is: (entry: string) => boolean,
  ) => {
    const wrong = parsed[name]?.find((entry) => !is(entry));
    if (wrong !== undefined)
      throw invalid(name, `got ${JSON.stringify(wrong.slice(0, 60))}; expected ${accepted}`);
    return parsed[name];
  };
  return {
    accounts: check(
      "allowed_accounts",
      vendor?.accounts?.accepted ?? "",
      (entry) => vendor?.accounts?.isEntry(entry) ?? false,
    ),
    currencies: check("allowed_currencies", 'codes of currencies in small letters, such as "usd"', (entry) =>
      /^[a-z]{3}$/.test(entry),
    ),
    recipients: check(
      "allowed_recipients",
      vendor?.recipients.accepted ?? "",
      (entry) => vendor?.recipients.isEntry(entry) ?? false,
    ),
    maxRecipients: parsed.max_recipients,
  };
}

/** Reads the body of `PATCH /vault/keys/{id}`: null takes a cap off, what is left out stays. */
export function parseChangeBody(body: unknown): KeyChangeRequest {
  const parsed = parseBody(changeBody, body);
  if (Object.keys(parsed).length === 0) {
    throw invalid(
      "body",
      "nothing to change; expected daily_usd_cap, total_usd_cap, per_call_usd_cap or expires_in",
    );
  }
  const changed = (amount: v.InferOutput<typeof cap>) => (amount === null ? UNCAPPED : amount);
  return {
    caps: {
      daily: changed(parsed.daily_usd_cap),
      total: changed(parsed.total_usd_cap),
      perCall: changed(parsed.per_call_usd_cap),
    },
    expiresInS: parsed.expires_in,
  };
}
