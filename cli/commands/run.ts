import { constants } from "node:os";
import { buildCommand } from "@stricli/core";
import type { Fields } from "../api/fields.ts";
import type { Cli, Common } from "../context.ts";
import { BEFORE_THE_JOB, endedBySignal } from "../exit-code.ts";
import { Failure, wrongUse } from "../failure.ts";
import { COMMON, switchFlag, VENDOR } from "../flags.ts";
import { runChild, takeSignals } from "../job/child.ts";
import { clientOf } from "../job/client-of.ts";
import { type JobKey, jobEnvironment } from "../job/environment.ts";
import { revokeOwn } from "../job/revoke-own.ts";
import { lines } from "../lines.ts";
import { dollars, NOTHING, textOf, timeOf } from "../output/words.ts";
import { KEY_FLAGS, type KeyFlags, keyBody } from "./key-flags.ts";

interface Flags extends KeyFlags {
  readonly url?: string;
  readonly vendor?: string;
  readonly child?: boolean;
  readonly quiet?: boolean;
}

export const run = buildCommand<Flags, string[], Cli>({
  docs: {
    brief: "run a job with a key of its own, and revoke the key at its end",
    fullDescription: lines(
      "Issues a key, gives it to the job in the vendor's usual variables with the",
      "base address, passes signals and the exit code on, and revokes the key at the",
      "end. docs/cli.md says which SDKs read the variables by themselves.",
      "  keybrake run --vendor VENDOR --cap 50 -- python job.py",
    ),
    customUsage: ["--vendor VENDOR --cap USD [flags] -- COMMAND [ARGUMENT...]"],
  },
  parameters: {
    positional: {
      kind: "array",
      parameter: {
        parse: (input: string) => input,
        brief: "the job and its arguments, behind --",
        placeholder: "COMMAND",
      },
    },
    flags: {
      vendor: VENDOR,
      ...KEY_FLAGS,
      child: switchFlag("issue a narrower key below the one in VAULT_KEY"),
      quiet: switchFlag("say nothing about the key"),
      url: COMMON.url,
    },
  },
  async func(flags, ...job) {
    this.process.exitCode = await runJob(this, flags, job);
  },
});

/** The exit code of the job, or of a shell for a job that did not start. Throws a Failure where there is no key. */
async function runJob(cli: Cli, flags: Flags & Common, job: readonly string[]): Promise<number> {
  const note = flags.quiet ? () => {} : (text: string) => cli.screen.note(`keybrake: ${text}`);
  const signals = takeSignals(cli.system, cli.system.stdin.isTTY === true, (signal) =>
    cli.screen.note(`keybrake: ${signal}: the job is not started`),
  );
  try {
    const key = await issueFor(cli, flags, job);
    const client = await clientOf(key.vendor);
    const { environment, removed } = jobEnvironment(cli.environment, key, client);
    note(`${key.id} for ${key.vendor}, ${key.allowance}`);
    if (removed.length > 0) note(`taken from the job's environment: ${removed.join(", ")}`);
    const early = signals.early();
    const { exitCode, problem } =
      early === null
        ? await runChild(job, environment, signals)
        : { exitCode: endedBySignal(constants.signals[early]), problem: null };
    if (problem !== null) cli.screen.note(`keybrake: ${problem}`);
    tellEnd(cli, key, await revokeOwn(key.url, key.secret), note);
    return exitCode;
  } finally {
    signals.stop();
  }
}

interface IssuedKey extends JobKey {
  readonly allowance: string;
  readonly expiresAt: string;
}

async function issueFor(cli: Cli, flags: Flags & Common, job: readonly string[]): Promise<IssuedKey> {
  try {
    if (job.length === 0)
      throw wrongUse(
        "there is no job to run",
        "write it behind --: `keybrake run --cap 50 -- python job.py`",
      );
    const api = flags.child === true ? cli.ownApi(flags) : cli.api(flags);
    const key = await api.ask("POST", "/vault/keys", { body: keyBody(flags.vendor, flags) });
    return {
      id: textOf(key, "id"),
      secret: textOf(key, "vault_key"),
      vendor: textOf(key, "vendor"),
      vendorUrl: `${api.baseUrl}/${textOf(key, "vendor")}`,
      url: api.baseUrl,
      allowance: allowanceOf(key),
      expiresAt: timeOf(key, "expires_at"),
    };
  } catch (error) {
    throw error instanceof Failure ? error.shiftedBy(BEFORE_THE_JOB) : error;
  }
}

const allowanceOf = (key: Fields): string =>
  [
    typeof key["daily_usd_cap"] === "number" ? `${dollars(key["daily_usd_cap"])} in 24 hours` : "",
    typeof key["total_usd_cap"] === "number" ? `${dollars(key["total_usd_cap"])} in total` : "",
    `until ${timeOf(key, "expires_at")}`,
  ]
    .filter((part) => part !== "")
    .join(", ");

function tellEnd(cli: Cli, key: IssuedKey, revoked: Fields | Failure, note: (text: string) => void): void {
  if (revoked instanceof Failure) {
    // Said even with --quiet: a key that may still spend is left over.
    cli.screen.note(
      `keybrake: ${key.id} is not revoked: ${revoked.message}; it expires at ${key.expiresAt}; \`keybrake revoke ${key.id}\` revokes it`,
    );
    return;
  }
  note(`${key.id} revoked, ${usedOf(revoked)} used`);
}

/** Spent and reserved together: which of the two a call is that has just ended is known a moment later. */
const usedOf = ({ spent_usd: spent, reserved_usd: reserved }: Fields): string =>
  typeof spent === "number" && typeof reserved === "number" ? dollars(spent + reserved) : NOTHING;
