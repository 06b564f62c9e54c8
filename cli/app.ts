import { buildApplication, buildRouteMap, ExitCode, proposeCompletions, run, text_en } from "@stricli/core";
import manifest from "../package.json" with { type: "json" };
import { apiKeys } from "./commands/api-keys/api-keys.ts";
import { audit } from "./commands/audit.ts";
import { change } from "./commands/change.ts";
import { completion } from "./commands/completion.ts";
import { dashboard } from "./commands/dashboard.ts";
import { doctor } from "./commands/doctor.ts";
import { issue } from "./commands/issue.ts";
import { keys } from "./commands/keys.ts";
import { resolve } from "./commands/resolve.ts";
import { resume } from "./commands/resume.ts";
import { revoke } from "./commands/revoke.ts";
import { run as runJob } from "./commands/run.ts";
import { runs } from "./commands/runs.ts";
import { show } from "./commands/show.ts";
import { spend } from "./commands/spend.ts";
import { stop } from "./commands/stop.ts";
import { stops } from "./commands/stops.ts";
import { tail } from "./commands/tail.ts";
import { COMPLETE, proposalLines } from "./completion-scripts.ts";
import { type Cli, cliOf } from "./context.ts";
import { EXIT } from "./exit-code.ts";
import { Failure } from "./failure.ts";
import { lines } from "./lines.ts";

const root = buildRouteMap<string, Cli>({
  routes: {
    issue,
    keys,
    show,
    change,
    revoke,
    run: runJob,
    runs,
    stop,
    stops,
    resume,
    resolve,
    audit,
    tail,
    spend,
    apiKeys,
    dashboard,
    doctor,
    completion,
  },
  docs: {
    brief: "keys with dollar caps for agents, from the command line",
    fullDescription: lines(
      "Keybrake stands between agents and vendors: vault keys have caps in dollars.",
      "",
      "KEYBRAKE_API_KEY has the API key, KEYBRAKE_URL the base URL",
      "(http://127.0.0.1:8787 unless set).",
      "Exit codes: 0 done, 1 fault, 2 wrong use, 3 denied, 4 not authorised, 5 not",
      "found, 6 worth repeating.",
    ),
  },
});

/** Messages of a failure are for people; anything else that is thrown is a fault of ours and keeps its stack. */
const messageOf = (error: unknown): string => {
  if (!(error instanceof Failure))
    return error instanceof Error ? (error.stack ?? error.message) : String(error);
  return error.next === undefined
    ? `keybrake: ${error.message}`
    : `keybrake: ${error.message}\nnext: ${error.next}`;
};

/**
 * What the library says of a line that it cannot read repeats the line. A long word may be a secret in the wrong place, so it is
 * cut to what tells which word it is.
 */
const withoutLongWords = (text: string): string =>
  text.replace(/[\w-]{24,}/g, (word) => `${word.slice(0, 8)}…`);

/** `--json` is for programs: they get the error as JSON too. */
const asJson = (error: Failure): string => JSON.stringify({ error: error.error, exit_code: error.exitCode });

function applicationOf(isJson: boolean) {
  return buildApplication(root, {
    name: "keybrake",
    versionInfo: { currentVersion: manifest.version },
    scanner: { caseStyle: "allow-kebab-for-camel", allowArgumentEscapeSequence: true },
    documentation: { onlyRequiredInUsageLine: true },
    determineExitCode: (error) => (error instanceof Failure ? error.exitCode : EXIT.fault),
    localization: {
      text: {
        ...text_en,
        exceptionWhileParsingArguments(error, ansiColor) {
          return withoutLongWords(text_en.exceptionWhileParsingArguments.call(this, error, ansiColor));
        },
        noCommandRegisteredForInput: (given) => withoutLongWords(text_en.noCommandRegisteredForInput(given)),
        exceptionWhileRunningCommand: (error) =>
          isJson && error instanceof Failure ? asJson(error) : messageOf(error),
      },
    },
  });
}

/** Runs the command that the arguments name; the exit code of the process (exit-code.ts). */
export async function runCli(system: NodeJS.Process): Promise<number> {
  const [first, ...rest] = system.argv.slice(2);
  const cli = cliOf(system);
  // A reader that has seen enough, such as head(1), closes the pipe.
  system.stdout.on("error", (error: NodeJS.ErrnoException) =>
    system.exit(error.code === "EPIPE" ? EXIT.done : EXIT.fault),
  );
  system.stderr.on("error", () => {});
  if (first === COMPLETE) return complete(cli, rest);
  const inputs = first === undefined ? [] : [first, ...rest];
  await run(applicationOf(flagsOf(inputs).includes("--json")), inputs, cli);
  return exitCodeFrom(cli.process.exitCode);
}

/** The library has codes of its own for a line that it cannot read, and for its faults. */
function exitCodeFrom(code: number | null): number {
  if (code === ExitCode.UnknownCommand || code === ExitCode.InvalidArgument) return EXIT.wrongUse;
  return code === null || code < 0 ? EXIT.fault : code;
}

/** What stands behind `--` is not ours. */
const flagsOf = (inputs: readonly string[]): readonly string[] => {
  const end = inputs.indexOf("--");
  return end === -1 ? inputs : inputs.slice(0, end);
};

async function complete(cli: Cli, [shell = "", ...words]: readonly string[]): Promise<number> {
  const proposals = words.includes("--") ? [] : await proposeCompletions(applicationOf(false), words, cli);
  for (const line of proposalLines(shell, proposals)) cli.screen.line(line);
  return EXIT.done;
}
