import { measureCpu } from "./cpu.ts";
import { atMost, ms, type Section } from "./section.ts";

const PROXY_MS_MAX = 2;
const CONSUMER_MS_MAX = 0.7;

/** What our own code computes. */
export const cpu: Section = {
  name: "cpu",
  title: "CPU of our own",
  how: "User and system time of a process that holds the bundle of the proxy alone, for a payment with an idempotency key, and of one that holds the consumer, for the changes of a payment in full batches; medians over chunks. Engine, vendor and secrets have processes of their own.",
  limits:
    "A core that others use too gives less for the same CPU time, so this figure is the one that a busy machine raises most. What is left is flat: four requests of node:http, at 0.2 ms each, are a third of it, and nothing else is more than a tenth (decisions/0039-sending-directly.md).",
  async run(bench) {
    const { proxyMs, consumerMs } = await measureCpu(bench.options.smoke ? { calls: 200 } : {});
    return {
      figures: [
        atMost("proxy, a paid call", proxyMs, PROXY_MS_MAX, ms),
        atMost("consumer, a paid call", consumerMs, CONSUMER_MS_MAX, ms),
      ],
      wrong: [],
    };
  },
};
