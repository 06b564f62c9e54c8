import { DecimalUsd } from "../../audit-wire.ts";
import { fromUsdText, type MicroUsd, NOTHING, plus } from "../../domain/money.ts";
import { isoTime } from "../../domain/time.ts";
import type { Item } from "../attributes.ts";

/**
 * The last minutes of a run, as attributes of its sum of the day: `calls_0417` and `usd_0417` for the minute from 04:17
 * UTC. They cost no write of their own. Each write takes off what is old, so that the item stays small.
 */
export interface Recent {
  /** When the latest counted call began, in milliseconds; null where there is none. */
  readonly lastAtMs: number | null;
  /** By minute since 1970. `calls`: allowed and denied ones. */
  readonly minutes: ReadonlyMap<number, RecentMinute>;
}

interface RecentMinute {
  readonly calls: number;
  readonly spent: MicroUsd;
}

export const MINUTE_MS = 60_000;
const MINUTES_OF_A_DAY = 1_440;
/** More than anybody asks for, since the log follows the calls by a while. */
const MINUTES_KEPT = 10;
/** A run that paused leaves minutes behind; so many before the kept ones go with the next write. */
const MINUTES_FORGOTTEN = 50;

const NONE: Recent = { lastAtMs: null, minutes: new Map() };

/** With one more event. What is older than the kept minutes is left out, such as a price that comes late. */
export function withEvent(
  recent: Recent | null,
  { atMs, nowMs, calls, spent }: RecentMinute & { readonly atMs: number; readonly nowMs: number },
): Recent {
  const { lastAtMs, minutes } = recent ?? NONE;
  const last = calls > 0 ? Math.max(lastAtMs ?? 0, atMs) : lastAtMs;
  const minute = minuteOf(atMs);
  if (minute <= minuteOf(nowMs) - MINUTES_KEPT) return { lastAtMs: last, minutes };
  const was = minutes.get(minute) ?? { calls: 0, spent: NOTHING };
  const is = { calls: was.calls + calls, spent: plus(was.spent, spent) };
  return { lastAtMs: last, minutes: new Map([...minutes, [minute, is]]) };
}

/** What a write of the sum of a day (its first minute since 1970) does beside. */
export function recentUpdate({ lastAtMs, minutes }: Recent, firstMinute: number, nowMs: number) {
  const values: Item = lastAtMs === null ? {} : { ":last": { S: isoTime(lastAtMs) } };
  const added = [...minutes].flatMap(([minute, { calls, spent }]) => {
    const name = nameOf(minute - firstMinute);
    values[`:calls_${name}`] = { N: `${calls}` };
    values[`:usd_${name}`] = { N: new DecimalUsd(spent).text };
    return [`calls_${name} :calls_${name}`, `usd_${name} :usd_${name}`];
  });
  return {
    set: lastAtMs === null ? "" : ", last_call_at = :last",
    add: added.map((each) => `, ${each}`).join(""),
    remove: forgotten(minuteOf(nowMs) - firstMinute, added.length > 0),
    values,
  };
}

/** `current`: the minute of the day, which may be past its end. */
function forgotten(current: number, isWanted: boolean): string {
  if (!isWanted) return "";
  const minutes = Array.from({ length: MINUTES_FORGOTTEN }, (_, n) => current - MINUTES_KEPT - n);
  const names = minutes.filter((minute) => minute >= 0 && minute < MINUTES_OF_A_DAY).map(nameOf);
  return names.length === 0 ? "" : ` REMOVE ${names.map((name) => `calls_${name}, usd_${name}`).join(", ")}`;
}

/** The minutes that a sum of a day holds, by minute since 1970. */
export function minutesIn(item: Item, firstMinute: number): readonly (readonly [number, RecentMinute])[] {
  return Object.entries(item).flatMap(([attribute, value]) => {
    const [, hours, minutes] = /^calls_(\d\d)(\d\d)$/.exec(attribute) ?? [];
    if (hours === undefined) return [];
    const spent = fromUsdText(item[attribute.replace("calls", "usd")]?.N ?? "0");
    return [[firstMinute + Number(hours) * 60 + Number(minutes), { calls: Number(value.N), spent }] as const];
  });
}

export const minuteOf = (ms: number): number => Math.floor(ms / MINUTE_MS);

/** 257 is `0417`. */
const nameOf = (minuteOfDay: number): string =>
  `${Math.floor(minuteOfDay / 60)}`.padStart(2, "0") + `${minuteOfDay % 60}`.padStart(2, "0");
