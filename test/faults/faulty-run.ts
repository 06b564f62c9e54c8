import { DIST } from "../../bin/build.ts";
import { type Consume, replay } from "../../lib/dead-letter-replay.ts";
import { lettersIn } from "../../local/aws/dead-letters.ts";
import { type Invoke, invocationContext } from "../../local/aws/invocation.ts";
import { startLocal } from "../../local/run.ts";
import { parseSettings } from "../../local/settings.ts";
import { StartError, systemProblem } from "../../local/start-error.ts";
import { startFaultyWay } from "../support/faulty-way.ts";
import { skewed } from "./clocks.ts";
import type { Order } from "./product.ts";
import { disturbed, openStreamFaults } from "./stream-faults.ts";
import { openWeather } from "./weather.ts";

/**
 * `npm start` with what cannot be disturbed from outside: Secrets Manager, the stream on its way to its consumer, and the
 * clock of one function. It tells its faults to the process that started it, and takes the orders of product.ts.
 */

const { seed, roundSeed, clock } = JSON.parse(process.env["FAULTS"] ?? "{}") as {
  readonly seed: number;
  readonly roundSeed: number;
  readonly clock: { readonly function: string; readonly offsetMs: number } | null;
};

const tell = (kind: string, what: string) => process.send?.({ fault: kind, what });
/** Slower than the functions wait for it, at times. */
const SECRETS_SLOW_MS = [200, 4_000] as const;

const secrets = openWeather({
  seed,
  name: "secrets",
  onFault: (kind) => tell(`secrets_${kind}`, "secrets"),
  slowMs: SECRETS_SLOW_MS,
});
const stream = openStreamFaults({ seed, roundSeed }, tell);
const settings = parseSettings(process.env);
let undisturbed: Invoke | undefined;

const run = await startLocal({
  ...settings,
  functionsDirectory: DIST,
  beforeSecretsManager: async (endpoint) => {
    const way = await startFaultyWay(endpoint, (asked) => secrets.befall(asked));
    secrets.refuseOn(way);
    return way.endpoint;
  },
  aroundFunctions: (invoke) => {
    const onTime = clock === null ? invoke : skewed(invoke, clock);
    undisturbed = onTime;
    return disturbed(onTime, stream);
  },
}).catch((error: unknown) => {
  const problem = error instanceof StartError ? error.message : systemProblem(error);
  if (problem === undefined) throw error;
  console.error(`keybrake cannot start: ${problem}`);
  process.exit(1);
});

const orders: Readonly<Record<Order, () => Promise<unknown>>> = {
  calm: async () => {
    secrets.calm();
    stream.calm();
  },
  drain: () => run.drain(),
  replay: () => replayLetters(`${settings.dataFile}.dead-letters`),
};

process.on("message", async (order: Order) => {
  const value = await orders[order]();
  process.send?.({ done: order, value });
});
// Nobody is left to kill it.
process.on("disconnect", () => process.exit(1));

if (clock !== null) tell("clock_off", clock.function);
console.log(`  DynamoDB  ${run.dynamodbEndpoint}`);
console.log(`ready ${run.baseUrl}`);

/** As `npm run replay-dead-letters` does with those of a deployment. */
async function replayLetters(folder: string): Promise<unknown> {
  const consume: Consume = (event) =>
    undisturbed?.("record-audit", event, invocationContext("record-audit")) ?? Promise.reject();
  const { recorded, left } = await replay(lettersIn(folder), consume, () => {});
  return { recorded, left: left.length };
}
