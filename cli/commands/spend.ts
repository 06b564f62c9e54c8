import { buildCommand } from "@stricli/core";
import type { Fields } from "../api/fields.ts";
import type { Cli, Common } from "../context.ts";
import { COMMON, LABEL, textFlag, VENDOR } from "../flags.ts";
import { lines } from "../lines.ts";
import type { Column } from "../output/table.ts";
import { countOf, dollarsOf, textOf } from "../output/words.ts";
import { keyIdFlag } from "./key-id.ts";
import { LIST_FLAGS, type ListFlags, showList } from "./list.ts";

/** How sums are grouped: what is typed, and the API's name of it. */
const GROUPINGS = {
  day: "day",
  vendor: "vendor",
  group: "label_group",
  label: "agent_run_label",
  key: "key_id",
} as const;
type Grouping = keyof typeof GROUPINGS;
const NAMES: readonly Grouping[] = ["day", "vendor", "group", "label", "key"];

interface Flags extends Common, ListFlags {
  readonly by?: Grouping;
  readonly from?: string;
  readonly to?: string;
  readonly vendor?: string;
  readonly label?: string;
  readonly key?: string;
}

const TOTAL = "total";

const columns: readonly Column<Fields>[] = [
  { title: "GROUP", cell: (row) => textOf(row, "group"), widthMin: 10 },
  { title: "SPENT", cell: (row) => dollarsOf(row, "spent_usd"), align: "right" },
  { title: "ALLOWED", cell: (row) => countOf(row, "allowed_calls"), align: "right", spare: 2 },
  {
    title: "DENIED",
    cell: (row) => countOf(row, "denied_calls"),
    align: "right",
    spare: 1,
    tone: (row) => (row["denied_calls"] === 0 ? "none" : "bad"),
  },
];

export const spend = buildCommand<Flags, [], Cli>({
  docs: {
    brief: "add up what was spent, by day, vendor, run, label or key",
    fullDescription: lines(
      "Adds up dollars and calls over UTC days, the last 30 unless --from and --to say",
      "otherwise. A group is what stands before the first / or : of a label.",
    ),
  },
  parameters: {
    flags: {
      by: { kind: "enum", values: NAMES, optional: true, brief: "what to add up by; day unless given" },
      from: textFlag("first UTC day, such as 2026-11-22", "DAY"),
      to: textFlag("day after the last", "DAY"),
      vendor: VENDOR,
      label: LABEL,
      key: keyIdFlag("only this key"),
      ...LIST_FLAGS,
      ...COMMON,
    },
  },
  async func(flags) {
    await showList(this, flags, {
      path: "/vault/spend",
      query: {
        group_by: flags.by && GROUPINGS[flags.by],
        from: flags.from,
        to: flags.to,
        vendor: flags.vendor,
        agent_run_label: flags.label,
        key_id: flags.key,
      },
      columns,
      lastRow: (answer) => totalOf(answer),
      nothing: "nothing was spent in these days",
    });
  },
});

const totalOf = (answer: Fields): Fields | null => {
  const { total } = answer;
  return typeof total === "object" && total !== null ? { group: TOTAL, ...total } : null;
};
