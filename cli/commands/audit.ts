import { buildCommand } from "@stricli/core";
import type { Cli, Common } from "../context.ts";
import { wrongUse } from "../failure.ts";
import { COMMON, switchFlag } from "../flags.ts";
import { lines } from "../lines.ts";
import { rowColumns } from "../output/row.ts";
import { AUDIT_FLAGS, type AuditFlags, auditQuery } from "./audit-flags.ts";
import { printExport } from "./export.ts";
import { LIST_FLAGS, type ListFlags, showList } from "./list.ts";

interface Flags extends Common, AuditFlags, ListFlags {
  readonly events?: boolean;
  readonly csv?: boolean;
  readonly ndjson?: boolean;
}

export const audit = buildCommand<Flags, [], Cli>({
  docs: {
    brief: "list calls and changes of keys, newest first",
    fullDescription: lines(
      "Lists the audit log: one row for each attempt of a call, each denial and each",
      "change of a key. Rows appear a moment after the call. Without a key, a call or",
      "a label it reads the last 30 days; --from reads further back. As CSV or NDJSON",
      "it prints all rows unless --limit is given, as they are read: in any number.",
    ),
  },
  parameters: {
    flags: {
      ...AUDIT_FLAGS,
      events: switchFlag("with --json: add to each row the events that made it"),
      csv: switchFlag("print all rows as CSV"),
      ndjson: switchFlag("print all rows as JSON, one a line"),
      ...LIST_FLAGS,
      ...COMMON,
    },
  },
  async func(flags) {
    const formats = (["csv", "ndjson"] as const).filter((format) => flags[format]);
    const [format] = formats;
    if (formats.length > 1 || (format !== undefined && (flags.json || flags.events)))
      throw wrongUse(
        "several formats are asked for",
        "take one of --csv, --ndjson and --json; --events is for --json",
      );
    if (format !== undefined)
      return printExport(this, flags, {
        path: "/vault/audit",
        query: auditQuery(flags),
        format,
        limit: flags.all ? null : (flags.limit ?? null),
      });
    await showList(this, flags, {
      path: "/vault/audit",
      query: { ...auditQuery(flags), events: flags.events },
      columns: rowColumns,
      nothing: "no rows: the filters match nothing, or the call was a moment ago",
    });
  },
});
