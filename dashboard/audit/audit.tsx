import { useState } from "preact/hooks";
import type { AuditRow } from "../api/answers.ts";
import { useList } from "../api/use-list.ts";
import { placesOf } from "../format/usd.ts";
import type { Filters } from "../page/address.ts";
import { showFilters } from "../page/use-place.ts";
import { ListEnd } from "../parts/list-end.tsx";
import { ColumnHead, Table, TableBody, TableHead, TableRow } from "../parts/table.tsx";
import { ExportButtons } from "./export-buttons.tsx";
import { FilterForm } from "./filter-form.tsx";
import { askedFor } from "./filters.ts";
import { Row } from "./row.tsx";
import { Totals } from "./totals.tsx";

const LIVE_MS = 2_000;
const ROWS = 50;

/** The audit log, by the filters that stand in the address. */
export function Audit({ filters }: { readonly filters: Filters }) {
  const [isLive, setIsLive] = useState(false);
  const asked = askedFor(filters);
  const list = useList<AuditRow>("vault/audit", { ...asked, limit: ROWS }, isLive ? LIVE_MS : null);
  const places = placesOf(list.rows.map(({ cost_usd }) => cost_usd ?? 0));
  return (
    <>
      <div class="row">
        <h1>Audit log</h1>
        <div class="buttons">
          <button type="button" class="small" aria-pressed={isLive} onClick={() => setIsLive(!isLive)}>
            {isLive ? "Live: stop following" : "Follow live"}
          </button>
          <ExportButtons asked={asked} />
        </div>
      </div>
      <FilterForm asked={asked} onAsked={(changed) => showFilters("audit", changed)} />
      <Totals asked={asked} />
      {list.rows.length > 0 && (
        <Table class="audit">
          <TableHead>
            <TableRow>
              <ColumnHead>Time</ColumnHead>
              <ColumnHead>Run</ColumnHead>
              <ColumnHead>Call or change</ColumnHead>
              <ColumnHead>State</ColumnHead>
              <ColumnHead class="end">Cost</ColumnHead>
            </TableRow>
          </TableHead>
          <TableBody>
            {list.rows.map((row) => (
              <Row key={row.id} of={row} places={places} />
            ))}
          </TableBody>
        </Table>
      )}
      <ListEnd
        list={list}
        empty={
          Object.keys(asked).length === 0
            ? "The log is empty so far. Every call of a vault key appears here a moment after it."
            : "Nothing matches. Take a filter away, or look further back: without a label, a key or a time, 30 days are read."
        }
      />
    </>
  );
}
