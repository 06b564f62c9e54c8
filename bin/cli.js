#!/usr/bin/env node
/** `npx keybrake`: starts bin/cli.ts by run.js, which says what is missing where it cannot. */
import module from "node:module";
import { fileURLToPath } from "node:url";

// Compiled once, a start takes a third of the processor time. Not in the shared temporary folder: what is there may be another's.
module.enableCompileCache?.(fileURLToPath(new URL("../node_modules/.cache/keybrake", import.meta.url)));
process.argv.splice(2, 0, "cli");
await import("./run.js");
