import type { CommandContext } from "@stricli/core";
import { baseUrlOf, URL_VARIABLE } from "./api/address.ts";
import { type Api, apiOf } from "./api/client.ts";
import { wrongUse } from "./failure.ts";
import { type Screen, screenOf } from "./output/screen.ts";

/** The variable with the API key. There is no option for it: other users of a machine can read arguments. */
export const API_KEY_VARIABLE = "KEYBRAKE_API_KEY";
/** The variable with a vault key, for what a key asks about itself. */
const VAULT_KEY_VARIABLE = "VAULT_KEY";

/** What commands may touch of the world. */
export interface Cli extends CommandContext {
  /** `exitCode` is null until a command sets it. */
  readonly process: Pick<NodeJS.Process, "stdout" | "stderr"> & { exitCode: number | null };
  /** Signals, and whether a terminal is in front. */
  readonly system: NodeJS.Process;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly screen: Screen;
  readonly nowMs: () => number;
  /** Keybrake with the API key. Throws a Failure where there is no key. */
  api(flags: Common): Api;
  /** Keybrake with a vault key. Throws a Failure where there is no key. */
  ownApi(flags: Common): Api;
  /** Keybrake without a secret, for what answers anybody. */
  openApi(flags: Common): Api;
}

/** Flags of every command that asks Keybrake. */
export interface Common {
  readonly url?: string;
  readonly json?: boolean;
}

export function cliOf(system: NodeJS.Process): Cli {
  const { stdout, stderr, env: environment } = system;
  const baseUrl = ({ url }: Common) => baseUrlOf(url ?? environment[URL_VARIABLE]);
  const secretIn = (variable: string, next: string): string => {
    const secret = environment[variable]?.trim() ?? "";
    if (secret === "") throw wrongUse(`${variable} is not set`, next);
    // Node's fetch refuses such a header with an error that repeats it.
    if (/[^\x21-\x7e]/.test(secret))
      throw wrongUse(
        `${variable} has a character that no key has`,
        "copy the key again, without spaces or line breaks",
      );
    return secret;
  };
  return {
    process: { stdout, stderr, exitCode: null },
    system,
    environment,
    screen: screenOf(stdout, stderr),
    nowMs: () => Date.now(),
    api: (flags) =>
      apiOf(
        baseUrl(flags),
        secretIn(
          API_KEY_VARIABLE,
          `export ${API_KEY_VARIABLE}=…: \`npm start\` prints the key, and a deployment has the output ApiKeyCommand`,
        ),
      ),
    ownApi: (flags) =>
      apiOf(
        baseUrl(flags),
        secretIn(VAULT_KEY_VARIABLE, `export ${VAULT_KEY_VARIABLE}=… with the vault key`),
      ),
    openApi: (flags) => apiOf(baseUrl(flags), null),
  };
}
