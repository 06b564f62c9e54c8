import { useState } from "preact/hooks";
import type { AuditRow } from "../api/answers.ts";
import { Moment } from "../parts/moment.tsx";
import { Status } from "../parts/status.tsx";
import { Cell, RowHead, TableRow } from "../parts/table.tsx";
import { Usd } from "../parts/usd.tsx";
import { RowDetail } from "./row-detail.tsx";

/** A row of the log, which opens to all that is known of it. `places`: the most decimal places of the column. */
export function Row({ of: row, places }: { readonly of: AuditRow; readonly places: number }) {
  const [isOpen, setIsOpen] = useState(false);
  const isCall = row.type === "call";
  return (
    <>
      <TableRow class={isOpen ? "opened" : undefined}>
        <Cell class="time">
          <button type="button" class="plain" aria-expanded={isOpen} onClick={() => setIsOpen(!isOpen)}>
            <Moment at={row.at} />
          </button>
        </Cell>
        <RowHead>{row.agent_run_label ?? <span class="quiet">without a label</span>}</RowHead>
        <Cell>
          {isCall ? (
            <code>
              {row.method} {row.path}
            </code>
          ) : (
            <span>
              {row.type} {row.by !== null && `by ${row.by}`}
            </span>
          )}
        </Cell>
        <Cell>
          {row.state !== null && <Status of={row.state} />}{" "}
          {row.reason !== null && <span class="quiet">{row.reason}</span>}
          {row.overrun === true && <span class="warn"> overrun</span>}
        </Cell>
        <Cell class="end act">{isCall && <Usd amount={row.cost_usd} places={places} />}</Cell>
      </TableRow>
      {isOpen && (
        <TableRow class="detail">
          <Cell colSpan={5}>
            <RowDetail of={row} />
          </Cell>
        </TableRow>
      )}
    </>
  );
}
