import { existsSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { type Config, ConfigError, glimpse, parseConfig } from "./config.ts";

const CONFIG_FILE = "keybrake.config.ts";
const CONTEXT = "the context value keybrake";

/**
 * Reads the configuration from `keybrake.config.ts` of `directory`, which exports `config`, or from the context value
 * `keybrake`: an object in cdk.json, or JSON after `-c keybrake=`. Without either the defaults hold.
 *
 * Two sources are an error rather than a mixture: which of them holds would have to be guessed.
 */
export async function readConfig(context: unknown, directory: string = process.cwd()): Promise<Config> {
  const file = join(directory, CONFIG_FILE);
  if (!existsSync(file)) return parseConfig(contextValue(context), CONTEXT);
  if (context !== undefined) {
    throw new ConfigError(`there is both ${CONTEXT} and a file ${CONFIG_FILE}; keep one of them`);
  }
  const { config }: { readonly config?: unknown } = await import(pathToFileURL(file).href).catch((cause) => {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new ConfigError(`${CONFIG_FILE} cannot be read: ${reason}\n(npx tsc -p . shows where)`, { cause });
  });
  if (config === undefined) {
    throw new ConfigError(
      `${CONFIG_FILE} exports no config; it begins: export const config: ConfigInput = {`,
    );
  }
  return parseConfig(config, CONFIG_FILE);
}

/** On the command line every context value is text. */
function contextValue(context: unknown): unknown {
  if (context === undefined) return {};
  if (typeof context !== "string") return context;
  try {
    return JSON.parse(context);
  } catch {
    throw new ConfigError(
      `${CONTEXT}: got ${JSON.stringify(glimpse(context))}; expected JSON such as {"stage":"prod"}`,
    );
  }
}
