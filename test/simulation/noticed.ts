import { readFile, writeFile } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { eachAtOnce } from "../../lambda/at-once.ts";
import { simulateBroken } from "./broken-copy.ts";
import { MUTATIONS } from "./mutations.ts";

/**
 * `npm run simulate:breaks`: simulates every break and writes down the schedule that noticed it, so that the tests need not
 * search for it again. One that the schedule known so far notices keeps it. Ends with 1 where a break is noticed by none.
 */

const FILE = new URL("noticed.json", import.meta.url);

/** The schedule that noticed a break once, by the name of the break. A schedule may change with the product. */
export async function knownSeeds(): Promise<ReadonlyMap<string, number>> {
  return new Map(Object.entries(JSON.parse(await readFile(FILE, "utf8")) as Record<string, number>));
}

if (import.meta.main) {
  const known = await knownSeeds();
  const found = await eachAtOnce(MUTATIONS, availableParallelism(), async (mutation) => {
    const noticed = await simulateBroken(mutation, known.get(mutation.name));
    console.log(`${noticed === null ? "NOT NOTICED" : `seed ${noticed.seed}`.padEnd(11)}  ${mutation.name}`);
    if (noticed === null) process.exitCode = 1;
    return noticed === null ? [] : ([[mutation.name, noticed.seed]] as const);
  });
  await writeFile(FILE, `${JSON.stringify(Object.fromEntries(found.flat()), null, 2)}\n`);
}
