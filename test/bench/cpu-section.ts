import { measureCpu } from "./cpu.ts";
import { atMost, ms, type Section, told } from "./section.ts";

const PROXY_MS_MAX = 2;
const CONSUMER_MS_MAX = 0.7;

/** What our own code computes. */
export const cpu: Section = {
  name: "cpu",
  title: "CPU of our own",
  how: "User and system time of a process that holds the bundle of the proxy alone, for a payment with an idempotency key, and of one that holds the consumer, for the changes of a payment in full batches; medians over chunks. The bare requests are the same four of a payment (three to DynamoDB, one to the vendor), sent again by node:http alone in the same process, a chunk after each chunk of payments. Engine, vendor and secrets have processes of their own.",
  limits:
    "A core that others use too gives less for the same CPU time, so these figures are the ones that a busy machine raises most. The bare requests are the floor of any handler that makes them. What stands above is flat: nothing is more than a tenth of it, and to sign requests, to write and read JSON and to keep the record of the call are most of it (decisions/0039-sending-directly.md).",
  async run(bench) {
    const { proxyMs, requestsMs, consumerMs } = await measureCpu(bench.options.smoke ? { calls: 200 } : {});
    return {
      figures: [
        atMost("proxy, a paid call", proxyMs, PROXY_MS_MAX, ms),
        told("  its four requests alone, by node:http", ms(requestsMs)),
        told("  own CPU above the bare requests", ms(proxyMs - requestsMs)),
        atMost("consumer, a paid call", consumerMs, CONSUMER_MS_MAX, ms),
      ],
      wrong: [],
    };
  },
};
