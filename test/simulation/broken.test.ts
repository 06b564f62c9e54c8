import { expect, test } from "vitest";
import { simulateBroken } from "./broken-copy.ts";
import { MUTATIONS } from "./mutations.ts";
import { knownSeeds } from "./noticed.ts";

const seeds = await knownSeeds();

/** Guarantees that each protection is needed, and that the simulation would notice its loss. */
test.concurrent.each(MUTATIONS)(
  "is noticed: the product that $name",
  { timeout: 240_000 },
  async (mutation) => {
    const noticed = await simulateBroken(mutation, seeds.get(mutation.name));

    expect(mutation.promises, JSON.stringify(noticed)).toContain(noticed?.promise);
  },
);

test("what is known of a break is of one that is there", () => {
  expect(MUTATIONS.map(({ name }) => name)).toEqual(expect.arrayContaining([...seeds.keys()]));
});
