import { buildCommand } from "@stricli/core";
import type { Fields } from "../api/fields.ts";
import type { Cli, Common } from "../context.ts";
import { COMMON, countFlag, textFlag } from "../flags.ts";
import { lines } from "../lines.ts";
import { shellWord } from "../output/shell-word.ts";
import type { Column } from "../output/table.ts";
import { countOf, dollarsOf, fromNow, listOf, NOTHING, textOf } from "../output/words.ts";

interface Flags extends Common {
  readonly group?: string;
  readonly limit?: number;
}

/** A label, or all labels of a group as a stop names them. */
const nameOf = (run: Fields): string => {
  const label = textOf(run, "agent_run_label");
  return label === NOTHING ? textOf(run, "stop_label") : label;
};

/** What its live keys may still spend; `>` where that is not all. */
const exposureOf = (run: Fields): string =>
  `${run["exposure_complete"] === false ? ">" : ""}${dollarsOf(run, "exposure_usd")}`;

const columnsAt = (nowMs: number): readonly Column<Fields>[] => [
  { title: "RUN", cell: nameOf, widthMin: 16 },
  { title: "$ IN 5M", cell: (run) => dollarsOf(run, "spent_usd_5m"), align: "right" },
  { title: "CALLS IN 5M", cell: (run) => countOf(run, "calls_5m"), align: "right", spare: 3 },
  { title: "SPENT", cell: (run) => dollarsOf(run, "spent_usd"), align: "right" },
  { title: "MAY STILL", cell: exposureOf, align: "right", spare: 1 },
  { title: "KEYS", cell: (run) => countOf(run, "live_keys"), align: "right", spare: 5 },
  {
    title: "DENIED",
    cell: (run) => countOf(run, "denied_calls"),
    align: "right",
    spare: 4,
    tone: (run) => (run["denied_calls"] === 0 ? "none" : "bad"),
  },
  { title: "LAST CALL", cell: (run) => fromNow(run, "last_call_at", nowMs), align: "right", spare: 2 },
];

export const runs = buildCommand<Flags, [], Cli>({
  docs: {
    brief: "list the runs of the last hour, worst first",
    fullDescription: lines(
      "Lists what ran in the last hour by its label, worst first: dollars of the last",
      "five minutes, then calls. MAY STILL is what its live keys may still spend.",
    ),
  },
  parameters: {
    flags: {
      group: textFlag("the labels of this group, one by one", "GROUP"),
      limit: countFlag("how many at most"),
      ...COMMON,
    },
  },
  async func(flags) {
    const { screen } = this;
    const query = { label_group: flags.group, limit: flags.limit };
    const answer = await this.api(flags).ask("GET", "/vault/runs", { query });
    if (flags.json === true) {
      screen.json(answer);
      return;
    }
    const rows = listOf(answer, "data");
    const [worst] = rows;
    if (worst === undefined) {
      screen.note("no runs in the last hour");
      return;
    }
    screen.table(columnsAt(this.nowMs()), rows);
    const label = textOf(worst, "stop_label");
    screen.note(`\nto stop the first: keybrake stop --label ${shellWord(label)} --dry-run`);
  },
});
