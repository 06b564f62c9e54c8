import { buildCommand } from "@stricli/core";
import type { Cli, Common } from "../context.ts";
import { COMMON, switchFlag } from "../flags.ts";
import { lines } from "../lines.ts";
import { rowColumns } from "../output/row.ts";
import { AUDIT_FLAGS, type AuditFlags, auditQuery } from "./audit-flags.ts";
import { LIST_FLAGS, type ListFlags, showList } from "./list.ts";

interface Flags extends Common, AuditFlags, ListFlags {
  readonly events?: boolean;
}

export const audit = buildCommand<Flags, [], Cli>({
  docs: {
    brief: "list calls and changes of keys, newest first",
    fullDescription: lines(
      "Lists the audit log: one row for each attempt of a call, each denial and each",
      "change of a key. Rows appear a moment after the call. Without a key, a call or",
      "a label it reads the last 30 days; --from reads further back.",
    ),
  },
  parameters: {
    flags: {
      ...AUDIT_FLAGS,
      events: switchFlag("with --json: add to each row the events that made it"),
      ...LIST_FLAGS,
      ...COMMON,
    },
  },
  async func(flags) {
    await showList(this, flags, {
      path: "/vault/audit",
      query: { ...auditQuery(flags), events: flags.events },
      columns: rowColumns,
      nothing: "no rows: the filters match nothing, or the call was a moment ago",
    });
  },
});
