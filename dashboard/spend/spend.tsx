import type { Spend } from "../api/answers.ts";
import { read } from "../api/client.ts";
import { usePoll } from "../api/use-poll.ts";
import type { Filters } from "../page/address.ts";
import { isLimited, useLogin } from "../page/signed-in.ts";
import { showFilters } from "../page/use-place.ts";
import { Choice } from "../parts/field.tsx";
import { allSums } from "./all-sums.ts";
import { lastDays, PERIODS, type Period } from "./periods.ts";
import { SpendChart } from "./spend-chart.tsx";
import { SumsTable } from "./sums-table.tsx";

const WINDOWS = [7, 30, 90] as const;
const PAGE = 100;

/** What all runs cost, by day, week and month, and which of them. */
export function SpendPage({ filters }: { readonly filters: Filters }) {
  const login = useLogin();
  const days = WINDOWS.find((each) => String(each) === filters["days"]) ?? 30;
  const period = PERIODS.find((each) => each === filters["by"]) ?? "day";
  const set = (changed: Filters) => showFilters("spend", { ...filters, ...changed });
  return (
    <>
      <h1>Spend of all runs</h1>
      <div class="filters">
        <Choice label="Over" value={String(days)} onValue={(value) => set({ days: value })}>
          {WINDOWS.map((each) => (
            <option key={each} value={String(each)}>
              {each} days
            </option>
          ))}
        </Choice>
        <Choice label="By" value={period} onValue={(value) => set({ by: value as Period })}>
          {PERIODS.map((each) => (
            <option key={each} value={each}>
              {each}
            </option>
          ))}
        </Choice>
      </div>
      <section class="card" aria-label="Spend by vendor">
        <SpendChart days={days} period={period} />
      </section>
      {!isLimited(login) && <Groups days={days} />}
      <p class="quiet">Days are UTC days of the calls' start. The sums follow the calls by a moment.</p>
    </>
  );
}

function Groups({ days }: { readonly days: number }) {
  const [from] = lastDays(days, Date.now());
  const { data, failure } = usePoll(`groups ${from}`, null, (signal) =>
    allSums((cursor) =>
      read<Spend>(
        "vault/spend",
        { group_by: "label_group", from, limit: PAGE, cursor: cursor ?? "" },
        signal,
      ),
    ),
  );
  if (failure !== null) return <p class="note bad">The runs cannot be added up: {failure.message}.</p>;
  if (data === null) return <p class="loading">Adding up…</p>;
  const { rows, total, isAll } = data;
  if (rows.length === 0) return <p class="note">No run with a label spent anything in these days.</p>;
  return (
    <section aria-labelledby="groups-title">
      <h2 id="groups-title">By group of labels</h2>
      <SumsTable
        title="Group"
        rows={rows}
        isAll={isAll}
        labelOf={(group) => `${group}*`}
        all={{ title: "All calls, those without a label too", sum: total }}
      />
    </section>
  );
}
