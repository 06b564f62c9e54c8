import type { Key } from "../api/answers.ts";
import { hashOf } from "../page/address.ts";
import { In } from "../parts/ago.tsx";
import { CapBars } from "../parts/cap-bar.tsx";
import { Moment } from "../parts/moment.tsx";
import { Status } from "../parts/status.tsx";
import { Cell, RowHead, TableRow } from "../parts/table.tsx";

/** One key of a list: what is left of it, and whether it can be used. */
export function KeyRow({ of: key }: { readonly of: Key }) {
  return (
    <TableRow>
      <RowHead>
        <a href={hashOf("keys", { key: key.id })}>{key.agent_run_label ?? "without a label"}</a>
        <span class="id quiet">{key.id}</span>
      </RowHead>
      <Cell class="quiet">{key.vendor}</Cell>
      <Cell class="caps">
        <CapBars caps={key.caps} />
      </Cell>
      <Cell class="quiet">
        {key.status === "expired" || key.status === "revoked" ? (
          <Moment at={key.revoked_at ?? key.expires_at} />
        ) : (
          <>
            ends in <In at={key.expires_at} />
          </>
        )}
      </Cell>
      <Cell class="act">
        <Status of={key.status} />
        {key.mode === "observe" && <span class="quiet"> only observes</span>}
      </Cell>
    </TableRow>
  );
}
