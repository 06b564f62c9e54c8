import type { Spend } from "../api/answers.ts";
import { read } from "../api/client.ts";
import { usePoll } from "../api/use-poll.ts";
import { counted } from "../format/count.ts";
import { Usd } from "../parts/usd.tsx";
import { allSums } from "../spend/all-sums.ts";
import { SumsTable } from "../spend/sums-table.tsx";
import type { AuditFilter } from "./filters.ts";
import { daysText, totalsAsked } from "./totals-asked.ts";

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
  const { rows, total, isWhole, isAll } = data;
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
      {isByLabel && <SumsTable title="Run" rows={rows} isAll={isAll} labelOf={(label) => label} />}
    </details>
  );
}
