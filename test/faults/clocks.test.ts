import { setImmediate } from "node:timers/promises";
import type { Context } from "aws-lambda";
import { afterAll, expect, test } from "vitest";
import type { FunctionName } from "../../lib/services.ts";
import { type Invoke, invocationContext } from "../../local/aws/invocation.ts";
import { skewed } from "./clocks.ts";

/** Guarantees that the clock of one function is off for all that it waits for, and no other clock is. */

const trueNow = Date.now;
afterAll(() => {
  Date.now = trueNow;
});

test("one function is a minute ahead, beside another one that is on time, and has the time that it has", async () => {
  const tell: Invoke = async (_name, _event, context: Context) => {
    await setImmediate();
    return { offMs: Date.now() - trueNow(), leftMs: context.getRemainingTimeInMillis() };
  };
  const invoke = skewed(tell, { function: "proxy-call", offsetMs: 60_000 });
  const run = (name: FunctionName) => invoke(name, {}, invocationContext(name, 20_000));

  const [ahead, onTime] = await Promise.all([run("proxy-call"), run("record-audit")]);

  for (const [told, offMs] of [
    [ahead, 60_000],
    [onTime, 0],
  ] as const) {
    const { offMs: off, leftMs } = told as { readonly offMs: number; readonly leftMs: number };
    expect(Math.abs(off - offMs)).toBeLessThan(2_000);
    expect(leftMs).toBeGreaterThan(10_000);
    expect(leftMs).toBeLessThanOrEqual(20_000);
  }
});
