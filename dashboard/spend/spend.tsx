import type { Spend } from "../api/answers.ts";
import { read } from "../api/client.ts";
import { usePoll } from "../api/use-poll.ts";
import { number } from "../format/count.ts";
import { placesOf } from "../format/usd.ts";
import { type Filters, hashOf } from "../page/address.ts";
import { isLimited, useLogin } from "../page/signed-in.ts";
import { showFilters } from "../page/use-place.ts";
import { Choice } from "../parts/field.tsx";
import { Cell, ColumnHead, RowHead, Table, TableBody, TableHead, TableRow } from "../parts/table.tsx";
import { Usd } from "../parts/usd.tsx";
import { lastDays, PERIODS, type Period } from "./periods.ts";
import { SpendChart } from "./spend-chart.tsx";

const WINDOWS = [7, 30, 90] as const;
const SHOWN_MAX = 100;

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
    read<Spend>("vault/spend", { group_by: "label_group", from, limit: SHOWN_MAX }, signal),
  );
  if (failure !== null) return <p class="note bad">The runs cannot be added up: {failure.message}.</p>;
  if (data === null) return <p class="loading">Adding up…</p>;
  const rows = [...data.data].sort((one, other) => other.spent_usd - one.spent_usd);
  const places = placesOf(rows.map(({ spent_usd }) => spent_usd));
  if (rows.length === 0) return <p class="note">No run with a label spent anything in these days.</p>;
  return (
    <section aria-labelledby="groups-title">
      <h2 id="groups-title">By group of labels</h2>
      <Table>
        <TableHead>
          <TableRow>
            <ColumnHead>Group</ColumnHead>
            <ColumnHead class="end">Spent</ColumnHead>
            <ColumnHead class="end">Allowed</ColumnHead>
            <ColumnHead class="end">Denied</ColumnHead>
          </TableRow>
        </TableHead>
        <TableBody>
          {rows.map(({ group, spent_usd, allowed_calls, denied_calls }) => (
            <TableRow key={group}>
              <RowHead>
                <a href={hashOf("audit", { agent_run_label: `${group}*` })}>{group}</a>
              </RowHead>
              <Cell class="end" data-name="spent">
                <Usd amount={spent_usd} places={places} />
              </Cell>
              <Cell class="end" data-name="allowed">
                {number(allowed_calls)}
              </Cell>
              <Cell class="end" data-name="denied">
                {number(denied_calls)}
              </Cell>
            </TableRow>
          ))}
          {data.total !== null && (
            <TableRow class="sum">
              <RowHead>All calls, those without a label too</RowHead>
              <Cell class="end" data-name="spent">
                <Usd amount={data.total.spent_usd} places={places} />
              </Cell>
              <Cell class="end" data-name="allowed">
                {number(data.total.allowed_calls)}
              </Cell>
              <Cell class="end" data-name="denied">
                {number(data.total.denied_calls)}
              </Cell>
            </TableRow>
          )}
        </TableBody>
      </Table>
      {data.next_cursor !== null && (
        <p class="quiet">The first {SHOWN_MAX} groups are shown. GET /vault/spend has all of them.</p>
      )}
    </section>
  );
}
