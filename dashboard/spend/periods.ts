import { DAY_MS } from "../format/time.ts";
import { sumUsd } from "../format/usd.ts";

/** Sums of UTC days as columns of days, weeks and months. */

export const PERIODS = ["day", "week", "month"] as const;
export type Period = (typeof PERIODS)[number];

/** Dollars of one vendor by UTC day; days without a call are left out. */
export interface Series {
  readonly name: string;
  readonly days: ReadonlyMap<string, number>;
}

export interface Column {
  /** The first day of it that is asked for. */
  readonly from: string;
  /** The last one. */
  readonly last: string;
  /** In the order of the series. */
  readonly values: readonly number[];
  readonly sum: number;
}

export const dayOf = (atMs: number): string => new Date(atMs).toISOString().slice(0, 10);

/** The last so many UTC days, today among them. */
export const lastDays = (count: number, nowMs: number): readonly string[] =>
  Array.from({ length: count }, (_, at) => dayOf(nowMs - (count - 1 - at) * DAY_MS));

/** What days have in common that are in one column: themselves, the Monday of their week, or their month. */
export function columnOf(day: string, period: Period): string {
  if (period === "day") return day;
  if (period === "month") return day.slice(0, 7);
  const atMs = Date.parse(day);
  const sinceMonday = (new Date(atMs).getUTCDay() + 6) % 7;
  return dayOf(atMs - sinceMonday * DAY_MS);
}

/** Every column of these days, empty ones too, in their order. */
export function columnsOf(
  series: readonly Series[],
  days: readonly string[],
  period: Period,
): readonly Column[] {
  const columns = Map.groupBy(days, (day) => columnOf(day, period));
  return [...columns.values()].map((inIt) => {
    const values = series.map((each) => sumUsd(inIt.map((day) => each.days.get(day) ?? 0)));
    return { from: inIt[0] ?? "", last: inIt.at(-1) ?? "", values, sum: sumUsd(values) };
  });
}

const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/** `28 Nov`, `23 – 28 Nov`, `Nov 2026`. */
export function nameOf({ from, last }: Pick<Column, "from" | "last">, period: Period): string {
  const [year = "", month = "", day = ""] = from.split("-");
  const [, lastMonth = "", lastDay = ""] = last.split("-");
  const named = (text: string) => MONTHS[Number(text) - 1] ?? "";
  if (period === "month") return `${named(month)} ${year}`;
  const end = `${Number(lastDay)} ${named(lastMonth)}`;
  if (from === last) return end;
  return month === lastMonth ? `${Number(day)} – ${end}` : `${Number(day)} ${named(month)} – ${end}`;
}

/** The next round number: what the top of the chart is called. */
export function roundUp(value: number): number {
  if (value <= 0) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  const step = [1, 2, 2.5, 5, 10].find((each) => each * power >= value * (1 - 1e-9)) ?? 10;
  return Number((step * power).toPrecision(3));
}
