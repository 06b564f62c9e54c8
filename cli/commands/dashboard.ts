import { buildCommand } from "@stricli/core";
import type { Cli, Common } from "../context.ts";
import { COMMON, switchFlag } from "../flags.ts";
import { lines } from "../lines.ts";
import { openAddress, openerOf } from "../open-browser.ts";

interface Flags extends Common {
  readonly noOpen?: boolean;
}

export const dashboard = buildCommand<Flags, [], Cli>({
  docs: {
    brief: "open the dashboard, signed in",
    fullDescription: lines(
      "Makes a one-time code with the API key and opens the dashboard with it in the",
      "browser, or prints its address where no browser is. The code serves once and",
      "for a minute; the login lasts twelve hours and may what the API key may.",
    ),
  },
  parameters: {
    flags: { noOpen: switchFlag("print the address, and open nothing"), ...COMMON },
  },
  async func(flags) {
    const api = this.api(flags);
    const made = await api.ask("POST", "/dashboard/codes");
    // The address that leads there from here: a proxy may have another name for it.
    const url = `${api.baseUrl}/dashboard#code=${encodeURIComponent(`${made["code"]}`)}`;
    if (flags.json === true) return this.screen.json({ ...made, url });
    const opener = flags.noOpen === true ? null : openerOf(this.system.platform, this.environment);
    if (opener !== null && (await openAddress(opener, url))) {
      this.screen.note(`opened ${api.baseUrl}/dashboard in the browser; the code in its address serves once`);
      return;
    }
    this.screen.line(url);
    this.screen.note("open it within a minute: the code in it serves once");
  },
});
