import { expect, test } from "vitest";
import { BROKEN } from "./broken.ts";
import { explore, wander } from "./explore.ts";
import { differsFromProduct } from "./product.ts";
import { EVERYTHING, SETTINGS } from "./settings.ts";

/**
 * Guarantees that the spend protocol keeps its promises in what is explored here, that the product decides as the model does,
 * and that no guard is for nothing.
 */

/** The nearest states of each setting: all of most of them. `npm run model` sees the rest. */
const STATES_MAX = 2_000;
const SCHEDULES = 100;

test.each(SETTINGS)("keeps every promise, as the product decides: $name", ({ setting }) => {
  const { broken, trace } = explore(setting, {
    statesMax: STATES_MAX,
    look: (before, what, after) => differsFromProduct(before, what, after, setting),
  });

  expect({ broken, trace }).toEqual({ broken: null, trace: [] });
});

test("keeps every promise by chance, with every fault", () => {
  const { broken, trace, ends } = wander(EVERYTHING.setting, 1, { schedulesMax: SCHEDULES });

  expect({ broken, trace }).toEqual({ broken: null, trace: [] });
  expect(ends).toBe(SCHEDULES);
});

test.each(BROKEN)("breaks promise $promise where $name", ({ promise, setting }) => {
  const { broken, trace } = explore(setting, { statesMax: 10_000 });

  expect(broken).toMatch(new RegExp(`^${promise}: `));
  expect(trace.length).toBeGreaterThan(0);
});
