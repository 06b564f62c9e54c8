import type { Run, Runs } from "../api/answers.ts";
import { number } from "../format/count.ts";
import { roughUsd, sumUsd } from "../format/usd.ts";
import { perMinute } from "./groups.ts";

interface Props {
  readonly runs: Runs;
  /** Runs that were stopped meanwhile, whose last minutes do not go on. */
  readonly stopped: readonly Run[];
  /** Dollars a minute of keys that are in no run. */
  readonly more: number;
  readonly isOld: boolean;
}

/** How bad it is, in one number: the dollars of the last minute or two, but for what is stopped. */
export function Rate({ runs: { total, as_of }, stopped, more, isOld }: Props) {
  const over = sumUsd(stopped.map(({ spent_usd_1m }) => spent_usd_1m));
  const overCalls = stopped.reduce((all, { calls_1m }) => all + calls_1m, 0);
  const calls = Math.round(perMinute(Math.max(0, total.calls_1m - overCalls), as_of, 1));
  return (
    <section class={isOld ? "rate old" : "rate"} aria-labelledby="rate-title">
      <h1 id="rate-title">Spending now</h1>
      <p class="figure">
        <b>{roughUsd(perMinute(Math.max(0, sumUsd([total.spent_usd_1m, -over])), as_of, 1) + more)}</b> a
        minute
      </p>
      <p class="quiet">
        {total.calls_5m === 0 && more === 0
          ? "No call in the last five minutes."
          : `${number(calls)} calls a minute · ${roughUsd(total.spent_usd_5m)} in the last five minutes`}
      </p>
      {over > 0 && (
        <p class="good">Stopped: {roughUsd(perMinute(over, as_of, 1))} a minute that went on before.</p>
      )}
    </section>
  );
}
