/**
 * `npm run test:browser`: the dashboard in a real Chromium, headless. `npm run test:clients` runs it too.
 *
 * Takes the Chromium of the machine, or installs Debian's where it may; says `skipped: …` where there is none to be had.
 */
import { skippedWhereUnavailable } from "../support/python.ts";
import { browserTests } from "./browser-tests.ts";

await skippedWhereUnavailable(async () => {
  if (!browserTests()) process.exitCode = 1;
});
