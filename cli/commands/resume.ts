import { buildCommand } from "@stricli/core";
import type { Cli, Common } from "../context.ts";
import { COMMON } from "../flags.ts";
import { lines } from "../lines.ts";
import { whatOf } from "../output/stop.ts";
import { timeOf } from "../output/words.ts";
import { STOP_ID } from "./stop-id.ts";

export const resume = buildCommand<Common, [string], Cli>({
  docs: {
    brief: "lift a stop: keys are issued again",
    fullDescription: lines(
      "Lifts a stop. Keys are issued again from then on; those that it revoked stay",
      "revoked. A repeat changes nothing.",
    ),
  },
  parameters: { positional: { kind: "tuple", parameters: [STOP_ID] }, flags: COMMON },
  async func(flags, id) {
    const stop = await this.api(flags).ask("DELETE", `/vault/stops/${id}`);
    if (flags.json === true) this.screen.json(stop);
    else this.screen.line(`${id} lifted ${timeOf(stop, "lifted_at")}: ${whatOf(stop)}`);
  },
});
