import type { LabelMatch } from "../../domain/label-match.ts";
import { NOTHING, plus } from "../../domain/money.ts";
import type { Spend, Spending, SumName } from "../../ports/spending.ts";
import type { Vault } from "../../ports/vault.ts";
import type { Caller } from "../keys/caller.ts";

export const GROUPINGS = ["day", "vendor", "label_group", "agent_run_label", "key_id"] as const;
export type Grouping = (typeof GROUPINGS)[number];

/** What sums are wanted; null asks for any. */
export interface SpendQuery {
  readonly groupBy: Grouping;
  /** UTC days: the first is included, the other is not. */
  readonly fromDay: string;
  readonly toDay: string;
  readonly vendor: string | null;
  readonly label: LabelMatch | null;
  readonly keyId: string | null;
  readonly limit: number;
  /** Where an earlier page ended. */
  readonly after: string | null;
}

export interface SpendRow extends Spend {
  readonly group: string;
}

export interface SpendAnswer {
  readonly rows: readonly SpendRow[];
  /** Of all that the filters allow, also of what other pages have; null where no sum is kept of that. */
  readonly total: Spend | null;
  readonly next: string | null;
}

export interface SpendPorts {
  readonly spending: Spending;
  readonly vault: Pick<Vault, "listedKeys" | "policies">;
}

/** `vendors`: those that there are, as far as the caller may see them. */
export interface SpendScope {
  readonly vendors: readonly string[];
  readonly caller: Caller;
}

export const NO_SPEND: Spend = { spent: NOTHING, allowed: 0, denied: 0 };

/** One sum over all days of a query. */
export const spendOf = async (
  sum: SumName,
  { fromDay, toDay }: Pick<SpendQuery, "fromDay" | "toDay">,
  { spending }: Pick<SpendPorts, "spending">,
): Promise<Spend> => together(await spending.days(sum, fromDay, toDay));

export const together = (spends: readonly Spend[]): Spend =>
  spends.reduce<Spend>(
    (all, { spent, allowed, denied }) => ({
      spent: plus(all.spent, spent),
      allowed: all.allowed + allowed,
      denied: all.denied + denied,
    }),
    NO_SPEND,
  );

/** Whether there is anything to show. */
export const isSomething = ({ spent, allowed, denied }: Spend): boolean =>
  spent !== 0n || allowed > 0 || denied > 0;
