import type { Key } from "../api/answers.ts";
import { hashOf } from "../page/address.ts";
import { In } from "../parts/ago.tsx";
import { CapBars } from "../parts/cap-bar.tsx";
import { Moment } from "../parts/moment.tsx";
import { Status } from "../parts/status.tsx";

/** One key of a list: what is left of it, and whether it can be used. */
export function KeyRow({ of: key }: { readonly of: Key }) {
  return (
    <tr>
      <th scope="row">
        <a href={hashOf("keys", { key: key.id })}>{key.agent_run_label ?? "without a label"}</a>
        <span class="id quiet">{key.id}</span>
      </th>
      <td class="quiet">{key.vendor}</td>
      <td class="caps">
        <CapBars caps={key.caps} />
      </td>
      <td class="quiet">
        {key.status === "expired" || key.status === "revoked" ? (
          <Moment at={key.revoked_at ?? key.expires_at} />
        ) : (
          <>
            ends in <In at={key.expires_at} />
          </>
        )}
      </td>
      <td class="act">
        <Status of={key.status} />
        {key.mode === "observe" && <span class="quiet"> only observes</span>}
      </td>
    </tr>
  );
}
