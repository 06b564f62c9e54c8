import { Chart } from "./chart.tsx";
import { columnsOf, type Period } from "./periods.ts";
import { useSeries } from "./use-series.ts";

/** The chart of the last days, with what to do where there is none. */
export function SpendChart({ days, period }: { readonly days: number; readonly period: Period }) {
  const { data, failure, refresh } = useSeries(days);
  const old = failure !== null && (
    <p class="note bad" role="alert">
      {data === null ? "The spend cannot be shown" : "What is shown may be old"}: {failure.message}.{" "}
      <button type="button" class="plain" onClick={refresh}>
        Try again
      </button>
    </p>
  );
  if (data === null) return old || <p class="loading">Adding up…</p>;
  const columns = columnsOf(data.series, data.days, period);
  const isEmpty = columns.every(({ sum }) => sum === 0);
  return (
    <>
      {old}
      {isEmpty ? (
        <p class="note">Nothing was spent in these {days} days.</p>
      ) : (
        <Chart columns={columns} names={data.series.map(({ name }) => name)} period={period} />
      )}
    </>
  );
}
