import { stat } from "node:fs/promises";
import { join } from "node:path";
import { build, DIST } from "../../bin/build.ts";
import { FUNCTIONS } from "../../lib/services.ts";
import { measureInit } from "./init.ts";
import { atMost, ms, ratio, type Section, told } from "./section.ts";

const PROXY_KB_MAX = 420;
const INIT_GOAL = 1.15;

/** How large the bundles are, and what it takes to load them. */
export const bundles: Section = {
  name: "bundles",
  title: "Bundles and their start",
  how: "The CPU that a new process takes to load a bundle, over that of a handler which makes the clients of DynamoDB and Secrets Manager and nothing else; medians of rounds that take turns.",
  async run(bench) {
    await build();
    const { ms: initMs, bareMs } = await measureInit(bench.options.smoke ? 2 : 11);
    const sizes = await Promise.all(
      FUNCTIONS.map(async (name) => [name, (await stat(join(DIST, name, "index.js"))).size / 1000] as const),
    );
    const kb = (size: number) => `${Math.round(size)} KB`;
    const proxyKb = sizes.find(([name]) => name === "proxy-call")?.[1] ?? 0;
    return {
      figures: [
        atMost("bundle of proxy-call", proxyKb, PROXY_KB_MAX, kb),
        atMost(
          "start of proxy-call, over a bare handler's",
          (initMs["proxy-call"] ?? 0) / bareMs,
          INIT_GOAL,
          ratio,
        ),
        told("a bare handler", ms(bareMs)),
        ...sizes.map(([name, size]) => told(name, `${kb(size)}, ${ms(initMs[name] ?? 0)}`)),
      ],
      wrong: [],
    };
  },
};
