import type { Page, SpendGroup } from "../api/answers.ts";
import { read } from "../api/client.ts";
import { type Picture, usePoll } from "../api/use-poll.ts";
import { useVendors } from "../page/signed-in.ts";
import { lastDays, type Series } from "./periods.ts";

const REFRESH_MS = 60_000;
/** More than the days of any window. */
const LIMIT = 100;

export interface Spending {
  readonly days: readonly string[];
  readonly series: readonly Series[];
}

/** Dollars by vendor and UTC day over the last days, from the sums that are kept: a vendor is one request. */
export function useSeries(count: number): Picture<Spending> {
  const vendors = useVendors();
  return usePoll(`spend of ${count} days`, REFRESH_MS, async (signal) => {
    const days = lastDays(count, Date.now());
    const [from = ""] = days;
    const series = await Promise.all(
      vendors.map(async ({ name, title }) => {
        const asked = { group_by: "day", vendor: name, from, limit: LIMIT };
        const { data } = await read<Page<SpendGroup>>("vault/spend", asked, signal);
        return { name: title, days: new Map(data.map(({ group, spent_usd }) => [group, spent_usd])) };
      }),
    );
    return { days, series };
  });
}
