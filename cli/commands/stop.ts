import { setTimeout as delay } from "node:timers/promises";
import { buildCommand } from "@stricli/core";
import type { Api } from "../api/client.ts";
import type { Fields } from "../api/fields.ts";
import type { Cli, Common } from "../context.ts";
import { wrongUse } from "../failure.ts";
import { COMMON, LABEL, switchFlag, textFlag, VENDOR } from "../flags.ts";
import { lines } from "../lines.ts";
import { inFlightOf, reachFields, stopFields } from "../output/stop.ts";
import { counted, countOf } from "../output/words.ts";
import { keyIdFlag } from "./key-id.ts";

interface Flags extends Common {
  readonly label?: string;
  readonly vendor?: string;
  readonly parent?: string;
  readonly apiKeyId?: string;
  readonly all?: boolean;
  readonly for?: string;
  readonly reason?: string;
  readonly dryRun?: boolean;
  readonly noWait?: boolean;
}

const EVERY_MS = 1000;
/** A call may take half a minute, and what was in flight is known a moment after its end. */
const WAIT_MS_MAX = 120_000;

export const stop = buildCommand<Flags, [], Cli>({
  docs: {
    brief: "stop a run: no key is issued to it, and its keys are revoked",
    fullDescription: lines(
      "Orders a stop: from its answer on no matching key is issued, then those that",
      "exist are revoked. Waits until that is done and no call is in flight; Ctrl-C ends",
      "the waiting, not the stop. With several criteria all must match. --dry-run says",
      "what would be stopped, and stops nothing.",
      "  keybrake stop --label 'billing/*' --reason 'charges twice' --dry-run",
    ),
  },
  parameters: {
    flags: {
      label: LABEL,
      vendor: VENDOR,
      parent: keyIdFlag("the keys below this key"),
      apiKeyId: textFlag("the keys that this API key issued, ak_…", "ID"),
      all: switchFlag("every key"),
      for: textFlag("how long: 30m, 4h, 7d; 24h unless given", "SPAN"),
      reason: textFlag("shown to everybody whom the stop refuses", "TEXT"),
      dryRun: switchFlag("say what would be stopped, and stop nothing"),
      noWait: switchFlag("do not wait until every key is revoked"),
      ...COMMON,
    },
  },
  async func(flags) {
    const { screen } = this;
    const api = this.api(flags);
    const ordered = await api.ask("POST", "/vault/stops", { body: bodyOf(flags) });
    if (flags.dryRun === true) {
      if (flags.json === true) screen.json(ordered);
      else screen.fields(reachFields(ordered));
      return;
    }
    const id = String(ordered["id"]);
    if (flags.json !== true) screen.note(`${id} is in force: no matching key is issued from now on`);
    const latest = flags.noWait === true ? ordered : await settled(this, api, ordered);
    if (flags.json === true) screen.json(latest);
    else {
      screen.fields(stopFields(latest, this.nowMs()));
      screen.note(`\nto lift it: keybrake resume ${id}`);
    }
  },
});

function bodyOf(flags: Flags): Fields {
  const criteria = {
    agent_run_label: flags.label,
    vendor: flags.vendor,
    parent_id: flags.parent,
    api_key_id: flags.apiKeyId,
    all: flags.all,
  };
  if (Object.values(criteria).every((value) => value === undefined))
    throw wrongUse("what to stop is missing", "add --label, --vendor, --parent, --api-key-id or --all");
  const body = { ...criteria, stop_for: flags.for, reason: flags.reason, dry_run: flags.dryRun };
  return Object.fromEntries(Object.entries(body).filter(([, value]) => value !== undefined));
}

/** The stop once every key is revoked and nothing is in flight, or as it is after the longest wait. */
async function settled({ screen, nowMs }: Cli, api: Api, ordered: Fields): Promise<Fields> {
  const untilMs = nowMs() + WAIT_MS_MAX;
  let latest = ordered;
  while (nowMs() < untilMs && isRunning(latest)) {
    const { calls } = inFlightOf(latest);
    screen.progress(`${countOf(latest, "keys_revoked")} keys revoked, ${counted(calls, "call")} in flight`);
    await delay(EVERY_MS);
    latest = await api.ask("GET", `/vault/stops/${String(ordered["id"])}`);
  }
  screen.progressDone();
  return latest;
}

const isRunning = (stop: Fields): boolean => stop["state"] === "revoking" || inFlightOf(stop).calls > 0;
