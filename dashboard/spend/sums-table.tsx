import { number } from "../format/count.ts";
import { placesOf } from "../format/usd.ts";
import { hashOf } from "../page/address.ts";
import { Cell, ColumnHead, RowHead, Table, TableBody, TableHead, TableRow } from "../parts/table.tsx";
import { Usd } from "../parts/usd.tsx";
import type { Sum } from "./all-sums.ts";

const SHOWN_MAX = 100;

export interface SumsTableProps {
  /** What a row is, for people: `Run`. */
  readonly title: string;
  readonly rows: readonly (Sum & { readonly group: string })[];
  /** Whether these are all that there are. */
  readonly isAll: boolean;
  /** The filter of the audit log that has the calls of a row. */
  readonly labelOf: (group: string) => string;
  /** A last row for all of them. */
  readonly all?: { readonly title: string; readonly sum: Sum };
}

/** Sums by group, those that spent most first, each a link to its calls. */
export function SumsTable({ title, rows, isAll, labelOf, all }: SumsTableProps) {
  const sorted = rows.toSorted((one, other) => other.spent_usd - one.spent_usd);
  const places = placesOf(sorted.map(({ spent_usd }) => spent_usd));
  return (
    <>
      <Table>
        <TableHead>
          <TableRow>
            <ColumnHead>{title}</ColumnHead>
            <ColumnHead class="end">Spent</ColumnHead>
            <ColumnHead class="end">Allowed</ColumnHead>
            <ColumnHead class="end">Denied</ColumnHead>
          </TableRow>
        </TableHead>
        <TableBody>
          {sorted.slice(0, SHOWN_MAX).map((row) => (
            <TableRow key={row.group}>
              <RowHead>
                <a href={hashOf("audit", { agent_run_label: labelOf(row.group) })}>{row.group}</a>
              </RowHead>
              <SumCells sum={row} places={places} />
            </TableRow>
          ))}
          {all !== undefined && (
            <TableRow class="sum">
              <RowHead>{all.title}</RowHead>
              <SumCells sum={all.sum} places={places} />
            </TableRow>
          )}
        </TableBody>
      </Table>
      {sorted.length > SHOWN_MAX && (
        <p class="quiet">
          {isAll
            ? `The ${SHOWN_MAX} that spent most are shown.`
            : `${SHOWN_MAX} of more than ${number(sorted.length)} are shown.`}{" "}
          GET /vault/spend has all of them.
        </p>
      )}
    </>
  );
}

function SumCells({ sum, places }: { readonly sum: Sum; readonly places: ReturnType<typeof placesOf> }) {
  return (
    <>
      <Cell class="end" data-name="spent">
        <Usd amount={sum.spent_usd} places={places} />
      </Cell>
      <Cell class="end" data-name="allowed">
        {number(sum.allowed_calls)}
      </Cell>
      <Cell class="end" data-name="denied">
        {number(sum.denied_calls)}
      </Cell>
    </>
  );
}
