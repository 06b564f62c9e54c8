import { type LabelMatch, labelMatchText, matchesLabel } from "./label-match.ts";
import { isoTime } from "./time.ts";

/**
 * A stop: a standing order that no matching vault key is issued and that those which exist are revoked, until it is lifted
 * or its time is over. Pure: what it matches, how long it holds, and how it is told.
 */
export interface Stop {
  readonly id: string;
  readonly matcher: StopMatcher;
  readonly reason: string | null;
  /** Who ordered it: `admin` or the id of an API key. */
  readonly by: string;
  /** Milliseconds, as `untilMs`. */
  readonly atMs: number;
  readonly untilMs: number;
}

/** Which keys a stop is for. Every criterion that is not null has to hold; one without any is for all keys. */
export interface StopMatcher {
  readonly label: LabelMatch | null;
  readonly vendor: string | null;
  /** A vault key above the stopped ones, however far. It is not stopped itself. */
  readonly parentId: string | null;
  /** The API key that issued the key, or the key above it. */
  readonly apiKeyId: string | null;
  /** Of the API key that ordered the stop: it reaches no others. Null for all. */
  readonly vendors: readonly string[] | null;
  readonly credentials: readonly string[] | null;
}

/** What a stop is matched against: what never changes of a key, so a list of keys has it too. */
export interface StoppableKey {
  readonly keyId: string;
  readonly vendor: string;
  readonly credential: string;
  readonly label: string | null;
  readonly issuerId: string;
  /** Ids from the topmost key to the key itself. */
  readonly chain: readonly string[];
}

export const REASON_LENGTH_MAX = 200;
/** Each is read with each key that is issued, so they stay few. */
export const STOPS_MAX = 50;

const ID_PREFIX = "stop_";
const ID = /^stop_[A-Za-z0-9]{1,40}$/;

/** Begins with its time, so that ids sort by it. `random`: a few characters of `[A-Za-z0-9]`. */
export const stopIdOf = (atMs: number, random: string): string => `${ID_PREFIX}${atMs}${random}`;

export const isStopId = (text: string): boolean => ID.test(text);

/** Whether a stop with this matcher is for this key. */
export function matchesKey(matcher: StopMatcher, key: StoppableKey): boolean {
  const { label, vendor, parentId, apiKeyId, vendors, credentials } = matcher;
  const isUnder = (id: string): boolean => id !== key.keyId && key.chain.includes(id);
  return (
    (label === null || matchesLabel(label, key.label)) &&
    (vendor === null || vendor === key.vendor) &&
    (parentId === null || isUnder(parentId)) &&
    (apiKeyId === null || apiKeyId === key.issuerId || isUnder(apiKeyId)) &&
    vendors?.includes(key.vendor) !== false &&
    credentials?.includes(key.credential) !== false
  );
}

export const isInForce = ({ untilMs }: Stop, nowMs: number): boolean => untilMs > nowMs;

/** The stop that is for this key now: of several the one that holds longest, since no key is issued before its end. */
export function stopFor(stops: readonly Stop[], key: StoppableKey, nowMs: number): Stop | null {
  const matching = stops.filter((stop) => isInForce(stop, nowMs) && matchesKey(stop.matcher, key));
  return matching.reduce<Stop | null>(
    (longest, stop) => (longest === null || stop.untilMs > longest.untilMs ? stop : longest),
    null,
  );
}

/** What a stop is for, in words. */
export function matcherText({
  label,
  vendor,
  parentId,
  apiKeyId,
  vendors,
  credentials,
}: StopMatcher): string {
  const said = [
    ...(label === null ? [] : [`agent_run_label ${JSON.stringify(labelMatchText(label))}`]),
    ...(vendor === null ? [] : [`vendor ${vendor}`]),
    ...(parentId === null ? [] : [`children of ${parentId}`]),
    ...(apiKeyId === null ? [] : [`keys issued by ${apiKeyId}`]),
    ...(vendors === null || vendor !== null ? [] : [`vendor ${vendors.join(" or ")}`]),
    ...(credentials === null ? [] : [`credential ${credentials.join(" or ")}`]),
  ];
  return said.length === 0 ? "all vault keys" : said.join(", ");
}

/** What the audit log says of a stop beside who and why: what it is for and its end, by their names on the wire. */
export const stopFacts = ({ matcher, untilMs }: Stop): Readonly<Record<string, string>> => {
  const { label, vendor, parentId, apiKeyId } = matcher;
  const all = label === null && vendor === null && parentId === null && apiKeyId === null;
  return {
    ...(label === null ? {} : { agent_run_label: labelMatchText(label) }),
    ...(vendor === null ? {} : { vendor }),
    ...(parentId === null ? {} : { parent_id: parentId }),
    ...(apiKeyId === null ? {} : { api_key_id: apiKeyId }),
    ...(all ? { all: "true" } : {}),
    until: isoTime(untilMs),
  };
};
