import { useRef, useState } from "preact/hooks";
import type { Spend } from "../api/answers.ts";
import { read } from "../api/client.ts";
import { usePoll } from "../api/use-poll.ts";
import { sumUsd } from "../format/usd.ts";
import { kept, type Sample, unlabelledNow } from "./unlabelled.ts";

const REFRESH_MS = 5_000;
const LIMIT = 100;

/** What keys without a label spend now; null where nothing is seen of any. */
export function useUnlabelled(): ReturnType<typeof unlabelledNow> {
  // The days of all looks begin with the same day, so that no midnight makes the sums smaller.
  const [from] = useState(() => new Date().toISOString().slice(0, 10));
  const samples = useRef<readonly Sample[]>([]);
  const { data } = usePoll("unlabelled", REFRESH_MS, async (signal) => {
    const [groups, vendors] = await Promise.all([
      read<Spend>("vault/spend", { group_by: "label_group", from, limit: LIMIT }, signal),
      read<Spend>("vault/spend", { group_by: "vendor", from, limit: LIMIT }, signal),
    ]);
    // With more groups than one page has, the difference would count theirs.
    if (groups.total === null || groups.next_cursor !== null) return null;
    const usd = sumUsd([groups.total.spent_usd, ...groups.data.map(({ spent_usd }) => -spent_usd)]);
    const byVendor = Object.fromEntries(vendors.data.map(({ group, spent_usd }) => [group, spent_usd]));
    samples.current = kept(samples.current, { atMs: Date.now(), usd, vendors: byVendor });
    return unlabelledNow(samples.current);
  });
  return data;
}
