import { setTimeout as delay } from "node:timers/promises";
import { buildCommand } from "@stricli/core";
import type { Api } from "../api/client.ts";
import type { Fields } from "../api/fields.ts";
import type { Cli, Common } from "../context.ts";
import { EXIT } from "../exit-code.ts";
import { Failure } from "../failure.ts";
import { COMMON, countFlag } from "../flags.ts";
import { lines } from "../lines.ts";
import { rowLine, toneOfRow } from "../output/row.ts";
import { listOf, msOf } from "../output/words.ts";
import { AUDIT_FILTERS, type AuditFlags, auditQuery } from "./audit-flags.ts";

interface Flags extends Common, Omit<AuditFlags, "call" | "from" | "to"> {
  readonly minutes?: number;
}

const EVERY_MS = 2000;
/** A row has the time at which its call began, and is there once the call has ended: half a minute later, at most. */
const LATE_MS_MAX = 60_000;
const PAGE = 100;

export const tail = buildCommand<Flags, [], Cli>({
  docs: {
    brief: "print rows of the audit log as they come, until Ctrl-C",
    fullDescription: lines(
      "Prints the rows of the last minute, then each new one a moment after its call.",
      "Calls without an outcome are told later: `keybrake audit --state open`.",
    ),
  },
  parameters: {
    flags: {
      ...AUDIT_FILTERS,
      minutes: countFlag("begin with the rows of so many minutes; 1 unless given"),
      ...COMMON,
    },
  },
  async func(flags) {
    const { screen } = this;
    const api = this.api(flags);
    const seen = new Map<string, number>();
    let fromMs = this.nowMs() - (flags.minutes ?? 1) * 60_000;
    for (;;) {
      const begunMs = this.nowMs();
      const rows = await newRows(api, auditQuery(flags), fromMs, seen).catch((error: unknown) => {
        if (!(error instanceof Failure) || error.exitCode !== EXIT.worthRepeating) throw error;
        screen.note(`keybrake: ${error.message}; trying again`);
        return null;
      });
      for (const row of rows ?? []) {
        if (flags.json === true) screen.json(row);
        else screen.fitted(rowLine(row), toneOfRow(row));
      }
      if (rows !== null) {
        fromMs = Math.max(fromMs, begunMs - LATE_MS_MAX);
        for (const [id, atMs] of seen) if (atMs < fromMs) seen.delete(id);
      }
      await delay(EVERY_MS);
    }
  },
});

/** Rows since then that were not there before, oldest first. Pages are read until one has nothing new. */
async function newRows(
  api: Api,
  filters: ReturnType<typeof auditQuery>,
  fromMs: number,
  seen: Map<string, number>,
): Promise<readonly Fields[]> {
  const found: Fields[] = [];
  let cursor: string | undefined;
  do {
    const query = { ...filters, from: new Date(fromMs).toISOString(), limit: PAGE, cursor };
    const answer = await api.ask("GET", "/vault/audit", { query });
    const page = listOf(answer, "data");
    const fresh = page.filter((row) => !seen.has(String(row["id"])));
    found.push(...fresh);
    const next = answer["next_cursor"];
    cursor = typeof next === "string" && (fresh.length > 0 || page.length === 0) ? next : undefined;
  } while (cursor !== undefined);
  for (const row of found) seen.set(String(row["id"]), msOf(row, "at") ?? 0);
  return found.reverse();
}
