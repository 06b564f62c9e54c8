import got, { RequestError } from "got";
import ky, { HTTPError } from "ky";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { RATE_RETRY_AFTER_S_MAX, RETRY_AFTER_S_MAX, serveDenials } from "../support/denials.ts";

/**
 * Guarantees that programs without an SDK never sleep long on our refusals, by their own defaults. Nothing really
 * sleeps here.
 */

let denials: Awaited<ReturnType<typeof serveDenials>>;
beforeAll(async () => {
  denials = await serveDenials();
});
afterAll(() => denials.close());

/** The milliseconds that the code of a file asks to be woken after, while `work` runs; it is woken at once. */
async function sleptBy(file: string, work: () => Promise<unknown>): Promise<readonly number[]> {
  const asked: number[] = [];
  const real = globalThis.setTimeout;
  const spy = vi.spyOn(globalThis, "setTimeout").mockImplementation(((
    callback: () => void,
    ms = 0,
    ...rest: unknown[]
  ) => {
    const isTheirs = new Error("who asks").stack?.includes(`node_modules/${file}`) === true;
    if (isTheirs) asked.push(ms);
    return real(() => callback.apply(null, rest as []), isTheirs ? 0 : ms);
  }) as typeof setTimeout);
  try {
    await work();
  } finally {
    spy.mockRestore();
  }
  return asked;
}

/** The refusals that say how long to wait, in seconds. */
const WAITS = [
  ["window-ends-in-ten-minutes", RETRY_AFTER_S_MAX],
  ["minute-ends-in-a-minute", RATE_RETRY_AFTER_S_MAX],
] as const;

/** Where each client waits before it repeats. */
const SLEEPS_IN = { got: "got/", ky: "ky/distribution/utils/delay.js" } as const;

/** With the clients' own limits and statuses. Calls that cost something are POST, which neither repeats unless told. */
const CLIENTS = {
  got: (url: string, method: "GET" | "POST") =>
    got(url, { method, retry: { methods: ["GET", "POST"] } }).then(
      () => "resolved",
      (error: unknown) => (error instanceof RequestError ? error.response?.statusCode : error),
    ),
  ky: (url: string, method: "GET" | "POST") =>
    ky(url, { method, timeout: false, retry: { methods: ["get", "post"] } }).then(
      () => "resolved",
      (error: unknown) => (error instanceof HTTPError ? error.response.status : error),
    ),
} as const;

describe.each(["got", "ky"] as const)("%s", (name) => {
  const call = CLIENTS[name];

  test.each(["GET", "POST"] as const)(
    "sleeps on no refusal of a %s longer than the bound, and on most not at all",
    async (method) => {
      const slept = new Map<string, number>();
      for (const denial of denials.names) {
        const asked = await sleptBy(SLEEPS_IN[name], async () => {
          expect(await call(`${denials.origin}/${denial}`, method)).toBeGreaterThanOrEqual(400);
        });
        slept.set(
          denial,
          asked.reduce((sum, ms) => sum + ms, 0),
        );
      }

      // Here the same refusal comes again and again, which the product's does not: the window has ended by then.
      const waitS = (denial: string) => WAITS.find(([begins]) => denial.startsWith(begins))?.[1];
      const others = [...slept].filter(([denial]) => waitS(denial) === undefined);
      for (const [begins, seconds] of WAITS) {
        const inTime = [...slept].filter(([denial]) => denial.startsWith(begins)).map(([, ms]) => ms);
        expect(new Set(inTime)).toEqual(new Set([2 * seconds * 1000]));
      }
      for (const [denial, ms] of others) expect(ms, denial).toBeLessThan(4_000);
      expect(others.filter(([, ms]) => ms === 0).length).toBeGreaterThan(others.length / 2);
    },
  );
});
