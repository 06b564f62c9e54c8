import { buildCommand } from "@stricli/core";
import type { Cli, Common } from "../context.ts";
import { COMMON } from "../flags.ts";
import { stopColumns, stopFields } from "../output/stop.ts";
import { LIST_FLAGS, type ListFlags, showList } from "./list.ts";
import { STOP_ID } from "./stop-id.ts";

interface Flags extends Common, ListFlags {}

export const stops = buildCommand<Flags, [string?], Cli>({
  docs: { brief: "list stops, newest first; with an id show one and how far it is" },
  parameters: {
    positional: { kind: "tuple", parameters: [{ ...STOP_ID, optional: true }] },
    flags: { ...LIST_FLAGS, ...COMMON },
  },
  async func(flags, id) {
    if (id === undefined) {
      await showList(this, flags, {
        path: "/vault/stops",
        query: {},
        columns: stopColumns(this.nowMs()),
        nothing: "no stops",
      });
      return;
    }
    const stop = await this.api(flags).ask("GET", `/vault/stops/${id}`);
    if (flags.json === true) this.screen.json(stop);
    else this.screen.fields(stopFields(stop, this.nowMs()));
  },
});
