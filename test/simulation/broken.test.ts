import { expect, test } from "vitest";
import { simulateBroken } from "./broken-copy.ts";
import { MUTATIONS } from "./mutations.ts";

/** Guarantees that each protection is needed, and that the simulation would notice its loss. */
test.concurrent.each(MUTATIONS)(
  "is noticed: the product that $name",
  { timeout: 240_000 },
  async (mutation) => {
    const noticed = await simulateBroken(mutation);

    expect(mutation.promises, JSON.stringify(noticed)).toContain(noticed?.promise);
  },
);
