import { buildCommand } from "@stricli/core";
import type { Cli, Common } from "../context.ts";
import { wrongUse } from "../failure.ts";
import { COMMON, NONE, textFlag, usdOrNone } from "../flags.ts";
import { lines } from "../lines.ts";
import { keyFields } from "../output/key.ts";
import { KEY_ID, keyAt } from "./key-id.ts";

interface Flags extends Common {
  readonly cap?: string;
  readonly totalCap?: string;
  readonly perCallCap?: string;
  readonly expires?: string;
}

const capFlag = (brief: string) =>
  ({
    kind: "parsed",
    parse: usdOrNone,
    optional: true,
    brief: `${brief}; none takes it away`,
    placeholder: "USD",
  }) as const;

export const change = buildCommand<Flags, [string], Cli>({
  docs: {
    brief: "change the caps and the expiry of a key, up or down",
    fullDescription: lines(
      "Changes a key that is in use: its next call sees the new caps. A cap below",
      "what is spent refuses further paid calls. Endpoints and limits inside a call",
      "stay as issued.",
    ),
  },
  parameters: {
    positional: { kind: "tuple", parameters: [KEY_ID] },
    flags: {
      cap: capFlag("most it may spend in each 24 hours from its issue"),
      totalCap: capFlag("most it may spend in its life"),
      perCallCap: capFlag("highest price of one call"),
      expires: textFlag("life from now on: 30s, 5m, 4h or 7d", "SPAN"),
      ...COMMON,
    },
  },
  async func(flags, id) {
    const wanted = {
      daily_usd_cap: flags.cap,
      total_usd_cap: flags.totalCap,
      per_call_usd_cap: flags.perCallCap,
      expires_in: flags.expires,
    };
    const given = Object.entries(wanted).filter(([, value]) => value !== undefined);
    const body = Object.fromEntries(given.map(([name, value]) => [name, value === NONE ? null : value]));
    if (Object.keys(body).length === 0)
      throw wrongUse("nothing to change", "add --cap, --total-cap, --per-call-cap or --expires");
    const { api, path } = keyAt(this, flags, id);
    const key = await api.ask("PATCH", path, { body });
    if (flags.json) this.screen.json(key);
    else this.screen.fields(keyFields(key, this.nowMs()));
  },
});
