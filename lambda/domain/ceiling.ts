import { type Caps, UNCAPPED } from "./balance.ts";
import type { CallLimits } from "./call-limits.ts";
import { coversEntry } from "./endpoint.ts";
import { dollars, type MicroUsd, smaller } from "./money.ts";
import { isoTime } from "./time.ts";

/**
 * The most that an issuer may hand on: a vault key to its child, an API key to the keys that it issues. Pure.
 *
 * One rule holds for every field. What is asked for and is wider is refused, by the name of its field; what is not asked for is
 * cut to what the issuer may give.
 */
export interface Ceiling {
  /** The issuer as messages name it, such as `vault key key_…`. */
  readonly issuer: string;
  readonly vendors: readonly string[] | null;
  readonly credentials: readonly string[] | null;
  readonly endpoints: readonly string[] | null;
  /** Null where the issuer limits nothing inside a call. */
  readonly limits: CallLimits | null;
  /** In micro-dollars; `UNCAPPED` where there is none. */
  readonly caps: Caps;
  /** Milliseconds. */
  readonly expiresAtMs: number;
}

/** What a key is to have; undefined or null where the caller did not say. Caps in micro-dollars. */
export interface Asked {
  readonly vendor: string;
  readonly credential: string;
  readonly caps: { readonly [cap in keyof Caps]?: MicroUsd | undefined };
  readonly endpoints: readonly string[] | null;
  readonly limits: CallLimits;
  /** Null: `expiresByDefaultMs`, or sooner. Milliseconds. */
  readonly expiresAtMs: number | null;
  readonly expiresByDefaultMs: number;
}

/** What a key gets. */
export interface Given {
  readonly caps: Caps;
  readonly endpoints: readonly string[] | null;
  readonly limits: CallLimits;
  readonly expiresAtMs: number;
}

/** A field that is wider than the issuer's, by its name on the wire. */
export interface Wider {
  readonly field: string;
  readonly message: string;
}

/** Whether the entry `wide` of a list lets through all that the entry `narrow` does. */
export type Covers = (wide: string, narrow: string) => boolean;

/** What a key gets of what is asked for, or what is wider. Without a ceiling everything is given as it is asked for. */
export function givenUnder(
  ceiling: Ceiling | null,
  asked: Asked,
  coversRecipient: Covers,
): Given | { readonly wider: Wider } {
  if (ceiling === null) {
    const { daily = UNCAPPED, total = UNCAPPED, perCall = UNCAPPED } = asked.caps;
    return {
      caps: { daily, total, perCall },
      endpoints: asked.endpoints,
      limits: asked.limits,
      expiresAtMs: asked.expiresAtMs ?? asked.expiresByDefaultMs,
    };
  }
  const wider =
    widerName(ceiling, asked) ??
    widerCaps(ceiling, asked.caps) ??
    widerEndpoint(ceiling, asked.endpoints) ??
    widerLimit(ceiling, asked.limits, coversRecipient) ??
    widerExpiry(ceiling, asked.expiresAtMs);
  if (wider !== null) return { wider };
  const { caps, endpoints, limits, expiresAtMs } = ceiling;
  return {
    caps: {
      daily: asked.caps.daily ?? caps.daily,
      total: asked.caps.total ?? caps.total,
      perCall: asked.caps.perCall ?? caps.perCall,
    },
    endpoints: asked.endpoints ?? endpoints,
    limits: {
      accounts: asked.limits.accounts ?? limits?.accounts ?? null,
      currencies: asked.limits.currencies ?? limits?.currencies ?? null,
      recipients: asked.limits.recipients ?? limits?.recipients ?? null,
      maxRecipients: asked.limits.maxRecipients ?? limits?.maxRecipients ?? null,
    },
    expiresAtMs: asked.expiresAtMs ?? Math.min(asked.expiresByDefaultMs, expiresAtMs),
  };
}

function widerName(
  { issuer, vendors, credentials }: Ceiling,
  { vendor, credential }: Pick<Asked, "vendor" | "credential">,
): Wider | null {
  const refused = (field: string, asked: string, allowed: readonly string[]): Wider => ({
    field,
    message: `got ${shown(asked)}; ${issuer} issues keys for ${allowed.join(", ")} only`,
  });
  if (vendors?.includes(vendor) === false) return refused("vendor", vendor, vendors);
  if (credentials?.includes(credential) === false) return refused("credential", credential, credentials);
  return null;
}

/** A day of a key cannot be worth more than the whole of its issuer. */
export function widerCaps(
  { issuer, caps }: Pick<Ceiling, "issuer" | "caps">,
  asked: Asked["caps"],
): Wider | null {
  const highest = [
    ["daily_usd_cap", asked.daily, smaller(caps.daily, caps.total)],
    ["total_usd_cap", asked.total, caps.total],
    ["per_call_usd_cap", asked.perCall, caps.perCall],
  ] as const;
  for (const [field, cap, most] of highest) {
    if (cap === undefined || cap <= most) continue;
    const got = cap < UNCAPPED ? dollars(cap) : "no cap";
    return { field, message: `got ${got}; ${issuer} allows at most ${dollars(most)}` };
  }
  return null;
}

function widerEndpoint({ issuer, endpoints }: Ceiling, asked: Asked["endpoints"]): Wider | null {
  if (endpoints === null || asked === null) return null;
  const index = asked.findIndex((entry) => !endpoints.some((wide) => coversEntry(wide, entry)));
  if (index < 0) return null;
  return {
    field: `allowed_endpoints.${index}`,
    message: `got ${shown(asked[index] ?? "")}; ${issuer} allows ${endpoints.join(", ")}`,
  };
}

/** Without a list of accounts a key acts on its own account only; without another list it is not limited. */
function widerLimit({ issuer, limits }: Ceiling, asked: CallLimits, coversRecipient: Covers): Wider | null {
  if (limits === null) return null;
  const beyond = (
    field: string,
    entries: readonly string[] | null,
    allowed: readonly string[] | null,
    covers: Covers,
  ): Wider | null => {
    const refused = allowed && entries?.find((entry) => !allowed.some((wide) => covers(wide, entry)));
    if (refused == null) return null;
    const most = allowed?.length === 0 ? "none" : allowed?.join(", ");
    return { field, message: `got ${shown(refused)}; ${issuer} allows ${most}` };
  };
  const isSame: Covers = (wide, entry) => wide === entry;
  const reaches: Covers = (wide, entry) => wide === entry || coversRecipient(wide, entry);
  const listed =
    beyond("allowed_accounts", asked.accounts, limits.accounts ?? [], isSame) ??
    beyond("allowed_currencies", asked.currencies, limits.currencies, isSame) ??
    beyond("allowed_recipients", asked.recipients, limits.recipients, reaches);
  if (listed !== null) return listed;
  const { maxRecipients: most } = limits;
  return most !== null && asked.maxRecipients !== null && asked.maxRecipients > most
    ? { field: "max_recipients", message: `got ${asked.maxRecipients}; ${issuer} allows at most ${most}` }
    : null;
}

/** `asked`: milliseconds, or null. */
export const widerExpiry = (
  { issuer, expiresAtMs }: Pick<Ceiling, "issuer" | "expiresAtMs">,
  asked: number | null,
): Wider | null =>
  asked === null || asked <= expiresAtMs
    ? null
    : {
        field: "expires_in",
        message: `would end at ${isoTime(asked)}; ${issuer} allows ${isoTime(expiresAtMs)} at the latest`,
      };

const SHOWN_MAX = 80;
const shown = (text: string): string => JSON.stringify(text.slice(0, SHOWN_MAX));
