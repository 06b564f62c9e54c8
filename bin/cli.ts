/** `npx keybrake`: the commands of docs/cli.md against any Keybrake. */

import { runCli } from "../cli/app.ts";

process.exitCode = await runCli(process);
