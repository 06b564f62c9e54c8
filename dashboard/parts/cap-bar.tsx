import type { Cap } from "../api/answers.ts";
import { percentOf } from "../format/count.ts";
import { usd } from "../format/usd.ts";

const NAMES = { daily: "a day", total: "in all" } as const;

/** What is spent, reserved and left of one cap, as a bar and in words. */
function CapBar({ cap, of }: { readonly cap: Cap; readonly of: keyof typeof NAMES }) {
  const { usd_cap, spent_usd, reserved_usd, remaining_usd, exceeded_by_usd } = cap;
  const spent = percentOf(spent_usd, usd_cap);
  const reserved = Math.min(100 - spent, percentOf(reserved_usd, usd_cap));
  return (
    <div class="cap">
      <p class="quiet">
        <b class="left">{usd(Math.max(0, remaining_usd))}</b> left of {usd(usd_cap)} {NAMES[of]}
        <span class="parts">
          {" "}
          · {usd(spent_usd)} spent
          {reserved_usd > 0 && ` · ${usd(reserved_usd)} reserved`}
          {exceeded_by_usd > 0 && ` · ${usd(exceeded_by_usd)} over`}
        </span>
      </p>
      <svg viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true">
        <rect class="bar-left" width="100" height="8" />
        <rect class="bar-spent" width={spent} height="8" />
        <rect class="bar-reserved" x={spent} width={reserved} height="8" />
      </svg>
    </div>
  );
}

/** A bar for each cap that a key has. */
export function CapBars({
  caps,
}: {
  readonly caps: { readonly daily?: Cap | undefined; readonly total?: Cap | undefined };
}) {
  return (
    <>
      {caps.daily !== undefined && <CapBar cap={caps.daily} of="daily" />}
      {caps.total !== undefined && <CapBar cap={caps.total} of="total" />}
    </>
  );
}
