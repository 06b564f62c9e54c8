import type { Fields } from "../api/fields.ts";
import { countFlag, textFlag, textsFlag, usdFlag } from "../flags.ts";

/** What a new key may spend and do, as `issue` and `run` take it. */
export interface KeyFlags {
  readonly cap?: string;
  readonly totalCap?: string;
  readonly perCallCap?: string;
  readonly credential?: string;
  readonly endpoint?: readonly string[];
  readonly account?: readonly string[];
  readonly currency?: readonly string[];
  readonly recipient?: readonly string[];
  readonly maxRecipients?: number;
  readonly maxCallsPerMinute?: number;
  readonly expires?: string;
  readonly label?: string;
  readonly metadata?: readonly (readonly [name: string, value: string])[];
}

export const KEY_FLAGS = {
  cap: usdFlag("most it may spend in each 24 hours from its issue"),
  totalCap: usdFlag("most it may spend in its life"),
  perCallCap: usdFlag("highest price of one call"),
  credential: textFlag("name of the vendor's credential, if not default", "NAME"),
  endpoint: textsFlag('allow only this, such as "POST /v1/charges"; repeatable', "ENDPOINT"),
  account: textsFlag("allow this other account; repeatable", "ACCOUNT"),
  currency: textsFlag("allow only this currency, such as usd; repeatable", "CURRENCY"),
  recipient: textsFlag("allow only this recipient; repeatable", "RECIPIENT"),
  maxRecipients: countFlag("recipients of one call"),
  maxCallsPerMinute: countFlag("calls in each minute from its issue"),
  expires: textFlag("life of the key: 30s, 5m, 4h or 7d; 1h unless given", "SPAN"),
  label: textFlag("label of the run, such as billing/2026-11", "LABEL"),
  metadata: {
    kind: "parsed",
    parse: nameAndValue,
    optional: true,
    variadic: true,
    brief: "text that goes into every row; repeatable",
    placeholder: "NAME=VALUE",
  },
} as const;

function nameAndValue(input: string): readonly [string, string] {
  const at = input.indexOf("=");
  if (at < 1) throw new RangeError("expected NAME=VALUE");
  return [input.slice(0, at), input.slice(at + 1)];
}

/** The body of `POST /vault/keys`: what was not given is left out, so that the API's own defaults and the issuer's ceilings hold. */
export function keyBody(vendor: string | undefined, flags: KeyFlags): Fields {
  const body = {
    vendor,
    credential: flags.credential,
    daily_usd_cap: flags.cap,
    total_usd_cap: flags.totalCap,
    per_call_usd_cap: flags.perCallCap,
    allowed_endpoints: flags.endpoint,
    allowed_accounts: flags.account,
    allowed_currencies: flags.currency,
    allowed_recipients: flags.recipient,
    max_recipients: flags.maxRecipients,
    max_calls_per_minute: flags.maxCallsPerMinute,
    expires_in: flags.expires,
    agent_run_label: flags.label,
    metadata: flags.metadata && Object.fromEntries(flags.metadata),
  };
  return Object.fromEntries(Object.entries(body).filter(([, value]) => value !== undefined));
}
