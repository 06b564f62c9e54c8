/**
 * `npm run test:peers`: Keybrake before test servers that others have written and that npm does not have: stripe-mock (Go) and
 * localstripe (Python).
 *
 * Installs each, and says `skipped: …` for one that this machine cannot have. Those of npm are in
 * test/e2e/independent-upstreams.test.ts.
 */
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { goProgram } from "../support/go.ts";
import { skippedWhereUnavailable, virtualEnvironment } from "../support/python.ts";
import { PEER_VARIABLES } from "./peer.ts";

const HERE = import.meta.dirname;
const STRIPE_MOCK = ["github.com/stripe/stripe-mock", "v0.203.0"] as const;

const there: Record<string, string> = {};
await skippedWhereUnavailable(async () => {
  there[PEER_VARIABLES.stripeMock] = goProgram(...STRIPE_MOCK);
});
await skippedWhereUnavailable(async () => {
  const bin = virtualEnvironment("peers", join(HERE, "requirements.txt"));
  there[PEER_VARIABLES.localstripe] = join(bin, "python");
});

if (Object.keys(there).length > 0) {
  const vitest = join(HERE, "..", "..", "node_modules", "vitest", "vitest.mjs");
  const config = join(HERE, "vitest.config.ts");
  const { status } = spawnSync(process.execPath, [vitest, "run", "--config", config], {
    stdio: "inherit",
    env: { ...process.env, ...there },
  });
  process.exitCode = status ?? 1;
}
