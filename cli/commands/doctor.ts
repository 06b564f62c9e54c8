import { buildCommand } from "@stricli/core";
import type { Cli, Common } from "../context.ts";
import { checkAll } from "../doctor/checks.ts";
import { COMMON, switchFlag } from "../flags.ts";
import { lines } from "../lines.ts";
import type { Tone } from "../output/table.ts";

interface Flags extends Common {
  readonly noCalls?: boolean;
}

const MARKS: Readonly<Record<string, readonly [mark: string, tone: Tone]>> = {
  good: ["ok", "good"],
  bad: ["FAULT", "bad"],
  unknown: ["?", "quiet"],
};

export const doctor = buildCommand<Flags, [], Cli>({
  docs: {
    brief: "look at the base URL, the stage, the API key, the credentials and the clock",
    fullDescription: lines(
      "Looks for what keeps Keybrake from working, and says what to do. For each",
      "vendor it issues a key of one minute, reads something free through it, and",
      "revokes it: so it sees whether the vendor accepts the credential. --no-calls",
      "leaves that out.",
    ),
  },
  parameters: {
    flags: { noCalls: switchFlag("issue no key and call no vendor"), ...COMMON },
  },
  async func(flags) {
    const { screen } = this;
    const results = [];
    for await (const result of checkAll(this, flags, (what) => screen.progress(`looking at ${what}`))) {
      screen.progressDone();
      results.push(result);
      if (flags.json) continue;
      const [mark, tone] = MARKS[result.state] ?? ["?", "quiet"];
      screen.line(`${screen.paint(tone, mark.padEnd(5))}  ${result.what.padEnd(20)}  ${result.found}`);
      if (result.next !== undefined) screen.line(`${" ".repeat(29)}next: ${result.next}`);
    }
    const fault = results.find(({ state }) => state === "bad");
    if (flags.json)
      screen.json({ ok: fault === undefined, checks: results.map(({ exitCode: _code, ...shown }) => shown) });
    this.process.exitCode = fault?.exitCode ?? 0;
  },
});
