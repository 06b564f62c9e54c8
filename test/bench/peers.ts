import { spawn } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { freePort } from "../../local/listen.ts";
import { Unavailable, virtualEnvironment } from "../support/python.ts";
import { Client, timed } from "./client.ts";
import { payment, startProduct, succeed } from "./product.ts";
import { atMost, type Figure, median, ms, ratio, type Section, told } from "./section.ts";

const AT_ONCE = [1, 16] as const;
const ROUNDS = 3;
const CALLS_A_ROUND = 150;
const GOAL = 0.3;
const READY_WITHIN_MS = 120_000;

/** What the pass-through of LiteLLM's proxy makes of the same calls. */
export const peers: Section = {
  name: "peers",
  title: "LiteLLM's pass-through",
  how: `The same payments through a pass-through endpoint of LiteLLM's proxy (PyPI, one worker, without its database) and through \`npm start\`, in ${ROUNDS} rounds that take turns, over the call straight to the vendor. Without its database LiteLLM keeps no budgets and no log, so its figures are a lower bound.`,
  limits:
    "LiteLLM writes nothing here, and Keybrake makes three durable writes in turn for each payment: at one at a time they are most of what it adds.",
  async run(bench) {
    const bin = installed();
    if (bin === null) return { figures: [told("skipped", "PyPI cannot be reached")], wrong: [] };
    const product = await startProduct();
    const litellm = await startLitellm(bin, product.upstream.origin);
    const direct = new Client(product.upstream.origin);
    const through = new Client(litellm.origin);
    try {
      const figures: Figure[] = [];
      for (const atOnce of AT_ONCE) {
        bench.say(`${atOnce} at once`);
        const each = { direct: [] as number[], litellm: [] as number[], product: [] as number[] };
        const count = bench.options.smoke ? 20 : CALLS_A_ROUND;
        for (let round = 0; round < (bench.options.smoke ? 1 : ROUNDS); round++) {
          each.direct.push(
            ...(await timed(count, atOnce, () => succeed(direct, payment("direct", "")))).each,
          );
          each.litellm.push(
            ...(await timed(count, atOnce, () => succeed(through, payment("x", "/stripe")))).each,
          );
          each.product.push(
            ...(await timed(count, atOnce, () => succeed(product.client, payment(product.key.token)))).each,
          );
        }
        const added = median(each.product) - median(each.direct);
        const addedByPeer = median(each.litellm) - median(each.direct);
        figures.push(
          atMost(`added at ${atOnce} at once, over LiteLLM's`, added / addedByPeer, GOAL, ratio),
          told("  added, and by LiteLLM", `${ms(added)}, ${ms(addedByPeer)}`),
        );
      }
      return { figures, wrong: [] };
    } finally {
      direct.close();
      through.close();
      await litellm.close();
      await product.close();
    }
  },
};

function installed(): string | null {
  try {
    return virtualEnvironment("bench-peers", join(import.meta.dirname, "requirements-peers.txt"));
  } catch (error) {
    if (error instanceof Unavailable) return null;
    throw error;
  }
}

async function startLitellm(bin: string, upstream: string) {
  const folder = await mkdtemp(join(tmpdir(), "keybrake-litellm-"));
  const config = join(folder, "config.yaml");
  const endpoint = { path: "/stripe/v1/payment_intents", target: `${upstream}/v1/payment_intents` };
  // JSON is YAML.
  await writeFile(config, JSON.stringify({ general_settings: { pass_through_endpoints: [endpoint] } }));
  const port = await freePort();
  const args = ["--config", config, "--host", "127.0.0.1", "--port", `${port}`, "--num_workers", "1"];
  const child = spawn(join(bin, "litellm"), [...args, "--telemetry", "False"], {
    env: {
      PATH: `${bin}:${process.env["PATH"]}`,
      HOME: folder,
      LITELLM_LOG: "ERROR",
      LITELLM_LOCAL_MODEL_COST_MAP: "True",
    },
    stdio: "ignore",
  });
  const close = async () => {
    const ended = new Promise((resolve) => child.once("close", resolve));
    child.kill("SIGKILL");
    await ended;
    await rm(folder, { recursive: true });
  };
  const origin = `http://127.0.0.1:${port}`;
  const lateMs = performance.now() + READY_WITHIN_MS;
  while (performance.now() < lateMs && child.exitCode === null) {
    const isUp = await fetch(`${origin}/health/liveliness`).then(
      ({ ok }) => ok,
      () => false,
    );
    if (isUp) return { origin, close };
    await delay(250);
  }
  await close();
  throw new Error("LiteLLM did not start");
}
