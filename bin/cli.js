#!/usr/bin/env node
/** `npx keybrake`: starts bin/cli.ts by run.js, which says what is missing where it cannot. */
process.argv.splice(2, 0, "cli");
await import("./run.js");
