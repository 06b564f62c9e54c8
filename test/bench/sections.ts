import { bundles } from "./bundles.ts";
import { consumer } from "./consumer.ts";
import { cpu } from "./cpu-section.ts";
import { growth } from "./growth.ts";
import { latency } from "./latency.ts";
import { localRun } from "./local-run.ts";
import { overshoot } from "./overshoot.ts";
import { peers } from "./peers.ts";
import type { Section } from "./section.ts";
import { trips } from "./trips.ts";

/** What `npm run bench` measures, in the order of the page. */
export const SECTIONS: readonly Section[] = [
  overshoot,
  trips,
  latency,
  cpu,
  bundles,
  consumer,
  growth,
  localRun,
  peers,
];
