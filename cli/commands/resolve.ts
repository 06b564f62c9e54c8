import { buildCommand } from "@stricli/core";
import type { Cli, Common } from "../context.ts";
import { wrongUse } from "../failure.ts";
import { COMMON, switchFlag, usdFlag } from "../flags.ts";
import { lines } from "../lines.ts";
import { dollarsOf, textOf } from "../output/words.ts";

interface Flags extends Common {
  readonly charged?: boolean;
  readonly notCharged?: boolean;
  readonly amount?: string;
}

/** The id of a call. Throws a RangeError for anything else. */
function callIdOf(input: string): string {
  if (/^call_[A-Za-z0-9]+(~\d+)?$/.test(input)) return input;
  throw new RangeError(
    "expected the id of a call, call_…; `keybrake audit --state unresolved` lists those that can be closed",
  );
}

const CALL_ID = { parse: callIdOf, brief: "id of the call", placeholder: "CALL" } as const;

export const resolve = buildCommand<Flags, [string], Cli>({
  docs: {
    brief: "close a call whose outcome nobody knows, once you do",
    fullDescription: lines(
      "Look the call up at the vendor, then say what you found. --charged settles it at",
      "--amount, or at what was reserved; --not-charged gives back what is held for it.",
      "Its row says who closed it. `keybrake audit --state unresolved` lists such calls.",
      "  keybrake resolve call_981a61e055b7bd4a --charged --amount 29.99",
    ),
  },
  parameters: {
    positional: { kind: "tuple", parameters: [CALL_ID] },
    flags: {
      charged: switchFlag("the vendor charged it"),
      notCharged: switchFlag("the vendor did not charge it"),
      amount: usdFlag("what it cost; what was reserved unless given"),
      ...COMMON,
    },
  },
  async func(flags, id) {
    const { charged = false, notCharged = false, amount } = flags;
    if (charged === notCharged) throw wrongUse("say what you found", "add --charged or --not-charged");
    if (notCharged && amount !== undefined)
      throw wrongUse("--amount goes with --charged", "what was not charged costs nothing");
    const body = { charged, ...(amount !== undefined && { amount_usd: amount }) };
    const call = await this.api(flags).ask("POST", `/vault/calls/${id}/resolve`, { body });
    if (flags.json === true) this.screen.json(call);
    else this.screen.line(`${id} ${textOf(call, "state")}: ${costOf(call)}`);
  },
});

const costOf = (call: Parameters<typeof dollarsOf>[0]): string =>
  call["state"] === "settled"
    ? `${dollarsOf(call, "cost_usd")} of ${dollarsOf(call, "reserved_usd")} that were held`
    : `${dollarsOf(call, "reserved_usd")} went back`;
