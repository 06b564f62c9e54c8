import type { Spend } from "../api/answers.ts";
import { read } from "../api/client.ts";
import { usePoll } from "../api/use-poll.ts";
import { counted } from "../format/count.ts";
import { placesOf } from "../format/usd.ts";
import { hashOf } from "../page/address.ts";
import { Cell, ColumnHead, RowHead, Table, TableBody, TableHead, TableRow } from "../parts/table.tsx";
import { Usd } from "../parts/usd.tsx";
import { allSums } from "./all-sums.ts";
import type { AuditFilter } from "./filters.ts";
import { daysText, totalsAsked } from "./totals-asked.ts";

const SHOWN_MAX = 100;

/** What the run of the filter spent, from the sums that are kept: however many calls it had. */
export function Totals({ asked }: { readonly asked: Partial<Record<AuditFilter, string>> }) {
  const wanted = totalsAsked(asked, Date.now());
  return wanted === null ? null : <Sums wanted={wanted} />;
}

function Sums({ wanted }: { readonly wanted: Readonly<Record<string, string>> }) {
  const { data, failure } = usePoll(JSON.stringify(wanted), null, (signal) =>
    allSums((cursor) => read<Spend>("vault/spend", { ...wanted, limit: 100, cursor: cursor ?? "" }, signal)),
  );
  if (failure !== null) return <p class="note">No totals: {failure.message}.</p>;
  if (data === null) return <p class="quiet">Adding up…</p>;
  const { total, isWhole } = data;
  const rows = data.rows.toSorted((one, other) => other.spent_usd - one.spent_usd);
  const places = placesOf(rows.map(({ spent_usd }) => spent_usd));
  const isByLabel = wanted["group_by"] === "agent_run_label" && rows.length > 1;
  return (
    <details class="card totals">
      <summary>
        {!isWhole && "At least "}
        <b>
          <Usd amount={total.spent_usd} />
        </b>{" "}
        spent · {counted(total.allowed_calls, "call")} allowed · {total.denied_calls} denied ·{" "}
        <span class="quiet">UTC days {daysText(wanted["from"] ?? "", wanted["to"] ?? "")}</span>
      </summary>
      {isByLabel && (
        <Table>
          <TableHead>
            <TableRow>
              <ColumnHead>Run</ColumnHead>
              <ColumnHead class="end">Spent</ColumnHead>
              <ColumnHead class="end">Allowed</ColumnHead>
              <ColumnHead class="end">Denied</ColumnHead>
            </TableRow>
          </TableHead>
          <TableBody>
            {rows.slice(0, SHOWN_MAX).map(({ group, spent_usd, allowed_calls, denied_calls }) => (
              <TableRow key={group}>
                <RowHead>
                  <a href={hashOf("audit", { agent_run_label: group })}>{group}</a>
                </RowHead>
                <Cell class="end" data-name="spent">
                  <Usd amount={spent_usd} places={places} />
                </Cell>
                <Cell class="end" data-name="allowed">
                  {allowed_calls}
                </Cell>
                <Cell class="end" data-name="denied">
                  {denied_calls}
                </Cell>
              </TableRow>
            ))}
          </TableBody>
        </Table>
      )}
      {isByLabel && rows.length > SHOWN_MAX && (
        <p class="quiet">The {SHOWN_MAX} runs that spent most are shown. GET /vault/spend has all of them.</p>
      )}
    </details>
  );
}
