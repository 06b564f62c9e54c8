import * as v from "valibot";
import { labelMatchOf, labelMatchText } from "../../domain/label-match.ts";
import { isStopId, type Stop, type StopMatcher } from "../../domain/stop.ts";
import type { StopRecord } from "../../domain/stop-record.ts";
import { STOPS_KEY } from "../../layout.ts";
import { type Item, orNull, read, whole, written } from "./codec.ts";

/**
 * The stops in force are one item, an attribute for each, named by its id: one write orders a stop or takes it off, whether
 * the item is there or not, and one read has them all. `n` counts its writes, and `last` says what the last one was.
 */
export const stopsKey = { pk: { S: STOPS_KEY.pk }, sk: { S: STOPS_KEY.sk } };

const RECORD_PREFIX = "STOP#";
/** What became of one stop. */
export const stopRecordKey = (stopId: string) => ({
  pk: { S: STOPS_KEY.pk },
  sk: { S: RECORD_PREFIX + stopId },
});
export const isStops = (pk: string): boolean => pk === STOPS_KEY.pk;

/** Records of stops outlive their end by this, in seconds. */
const RECORD_KEPT_S = 90 * 86_400;

const names = v.optional(v.array(v.string()));
const matcherFields = {
  agent_run_label: v.optional(v.string()),
  vendor: v.optional(v.string()),
  parent_id: v.optional(v.string()),
  api_key_id: v.optional(v.string()),
  all: v.optional(v.literal(true)),
  vendors: names,
  credentials: names,
};
/** Strict: a stop that somebody wrote by hand and that means something else must not pass for one of ours. */
const stopSchema = v.pipe(
  v.strictObject({ ...matcherFields, until: whole, at: whole, by: v.string(), reason: orNull(v.string()) }),
  v.check(
    ({ agent_run_label, vendor, parent_id, api_key_id, all }) =>
      [agent_run_label, vendor, parent_id, api_key_id].some((each) => each !== undefined) !== (all === true),
    "a stop names what it is for, or all",
  ),
);

const readStop = (id: string, value: unknown): Stop => {
  const { until, at, by, reason, ...matcher } = v.parse(stopSchema, value);
  const { agent_run_label: label } = matcher;
  return {
    id,
    matcher: {
      label: label === undefined ? null : labelMatchOf(label),
      vendor: matcher.vendor ?? null,
      parentId: matcher.parent_id ?? null,
      apiKeyId: matcher.api_key_id ?? null,
      vendors: matcher.vendors ?? null,
      credentials: matcher.credentials ?? null,
    },
    reason,
    by,
    atMs: at,
    untilMs: until,
  };
};

/** Oldest first. Throws where an attribute that is named like a stop is none: what it stops is not known then. */
export const readStopsItem = (item: Item): readonly Stop[] =>
  Object.entries(read(item) as Readonly<Record<string, unknown>>)
    .filter(([name]) => isStopId(name))
    .map(([id, value]) => readStop(id, value))
    .sort((one, other) => (one.id < other.id ? -1 : 1));

/** Those of the stops that can be read: a stop that somebody wrote wrongly by hand is no row, and holds up none. */
export const readableStopsIn = (item: Item): readonly Stop[] =>
  Object.entries(read(item) as Readonly<Record<string, unknown>>).flatMap(([id, value]) => {
    if (!isStopId(id)) return [];
    try {
      return [readStop(id, value)];
    } catch {
      return [];
    }
  });

/** Who takes a stop off whose time is over. */
export const BY_TIME = "time";

const matcherMap = ({ label, vendor, parentId, apiKeyId, vendors, credentials }: StopMatcher) => ({
  agent_run_label: label === null ? undefined : labelMatchText(label),
  vendor: vendor ?? undefined,
  parent_id: parentId ?? undefined,
  api_key_id: apiKeyId ?? undefined,
  all: label === null && vendor === null && parentId === null && apiKeyId === null ? true : undefined,
  vendors: vendors ?? undefined,
  credentials: credentials ?? undefined,
});

/** A stop as the attribute that it is. */
export const stopMap = ({ matcher, reason, by, atMs, untilMs }: Stop) => ({
  M: written({ ...matcherMap(matcher), until: untilMs, at: atMs, by, reason: reason ?? undefined }),
});

/** Who wrote the item of the stops last, and when. */
export interface LastStopsWrite {
  readonly by: string;
  readonly atMs: number;
}

/** Null where it was written by hand, without that. */
export function lastStopsWriteIn(item: Item): LastStopsWrite | null {
  const { last } = read(item) as { readonly last?: unknown };
  const parsed = v.safeParse(v.object({ by: v.string(), at: whole }), last);
  return parsed.success ? { by: parsed.output.by, atMs: parsed.output.at } : null;
}

export const lastStopsWriteMap = ({ by, atMs }: LastStopsWrite) => ({ M: written({ by, at: atMs }) });

const recordSchema = v.pipe(
  v.object({
    stop_id: v.string(),
    stop: v.unknown(),
    v: whole,
    place: orNull(v.object({ list: whole, before: orNull(v.string()) })),
    keys_revoked: whole,
    revoked_at: orNull(whole),
    lifted_at: orNull(whole),
    lifted_by: orNull(v.string()),
  }),
  v.transform(
    (item): StopRecord => ({
      stop: readStop(item.stop_id, item.stop),
      version: item.v,
      place: item.place,
      keysRevoked: item.keys_revoked,
      revokedAtMs: item.revoked_at,
      lifted: item.lifted_at === null ? null : { by: item.lifted_by ?? "unknown", atMs: item.lifted_at },
    }),
  ),
);

export const readStopRecordItem = (item: Item): StopRecord => v.parse(recordSchema, read(item));

export const stopRecordItem = (record: StopRecord): Item => ({
  ...stopRecordKey(record.stop.id),
  ...written({
    stop_id: record.stop.id,
    v: record.version,
    place: record.place === null ? undefined : { list: record.place.list, before: record.place.before },
    keys_revoked: record.keysRevoked,
    revoked_at: record.revokedAtMs ?? undefined,
    lifted_at: record.lifted?.atMs,
    lifted_by: record.lifted?.by,
    ttl: Math.floor(record.stop.untilMs / 1000) + RECORD_KEPT_S,
  }),
  stop: stopMap(record.stop),
});
