import { buildCommand } from "@stricli/core";
import type { Cli, Common } from "../context.ts";
import { COMMON, LABEL, VENDOR } from "../flags.ts";
import { lines } from "../lines.ts";
import { keyColumns } from "../output/key.ts";
import { keyIdFlag } from "./key-id.ts";
import { LIST_FLAGS, type ListFlags, showList } from "./list.ts";

const STATUSES = ["active", "exhausted", "expired", "revoked"] as const;

interface Flags extends Common, ListFlags {
  readonly status?: (typeof STATUSES)[number];
  readonly vendor?: string;
  readonly label?: string;
  readonly parent?: string;
}

export const keys = buildCommand<Flags, [], Cli>({
  docs: {
    brief: "list keys, newest first",
    fullDescription: lines(
      "Lists vault keys, newest first. `exhausted` is an active key with nothing left",
      "of its tightest cap.",
    ),
  },
  parameters: {
    flags: {
      status: { kind: "enum", values: STATUSES, optional: true, brief: "only keys with this status" },
      label: LABEL,
      vendor: VENDOR,
      parent: keyIdFlag("only children of this key"),
      ...LIST_FLAGS,
      ...COMMON,
    },
  },
  async func(flags) {
    await showList(this, flags, {
      path: "/vault/keys",
      query: {
        status: flags.status,
        vendor: flags.vendor,
        agent_run_label: flags.label,
        parent_id: flags.parent,
      },
      columns: keyColumns(this.nowMs()),
      nothing: "no keys: `keybrake issue` issues one",
    });
  },
});
