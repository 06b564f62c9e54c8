import type { Runs } from "../api/answers.ts";
import { number } from "../format/count.ts";
import { roughUsd, usd } from "../format/usd.ts";
import { perMinute } from "./groups.ts";

/** How bad it is, in one number: the dollars of the last minute or two. */
export function Rate({ runs, isOld }: { readonly runs: Runs; readonly isOld: boolean }) {
  const { total, as_of } = runs;
  const rate = perMinute(total.spent_usd_1m, as_of, 1);
  const calls = perMinute(total.calls_1m, as_of, 1);
  return (
    <section class={isOld ? "rate old" : "rate"} aria-labelledby="rate-title">
      <h1 id="rate-title">Spending now</h1>
      <p class="figure">
        <b>{roughUsd(rate)}</b> a minute
      </p>
      <p class="quiet">
        {total.calls_5m === 0
          ? "No call in the last five minutes."
          : `${number(Math.round(calls))} calls a minute · ${usd(total.spent_usd_5m)} in the last five minutes`}
      </p>
    </section>
  );
}
