import { issue } from "../support/keybrake.ts";
import { simulatorAt } from "../support/simulator.ts";
import { start } from "../support/start.ts";
import { Client, timed } from "./client.ts";
import { payment } from "./product.ts";
import { type Section, told } from "./section.ts";

const CALLS = 1_000;
const CAP_USD = 50;

/** That no call passes the cap, counted by the vendor's own books. */
export const overshoot: Section = {
  name: "overshoot",
  title: "A thousand parallel calls on one key",
  how: `${CALLS} payments of $1 at once with one key of $${CAP_USD}, through \`npm start\`; what went through is counted by the simulated Stripe's own books.`,
  async run(bench) {
    const run = await start({ KEYBRAKE_LOG: "off" });
    const key = await issue(run, { daily_usd_cap: CAP_USD });
    const client = new Client(run.baseUrl);
    try {
      const statuses = new Map<number, number>();
      bench.say(`${CALLS} payments at once`);
      await timed(CALLS, CALLS, async () => {
        const { status } = await client.send(payment(key.token));
        statuses.set(status, (statuses.get(status) ?? 0) + 1);
      });
      const cents = await simulatorAt(run.simulatorOrigin ?? "").spentCents();
      const answers = [...statuses].map(([status, count]) => `${count} x ${status}`).join(", ");
      const beyond = cents - CAP_USD * 100;
      return {
        figures: [
          { name: "cents beyond the cap", value: `${Math.max(0, beyond)}`, goal: "0", reached: beyond <= 0 },
          told("answers", answers),
        ],
        wrong: beyond === 0 ? [] : [`the vendor's books say ${cents} cents, the cap is ${CAP_USD * 100}`],
      };
    } finally {
      client.close();
      await run.kill("SIGTERM");
    }
  },
};
