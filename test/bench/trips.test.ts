import { expect, test } from "vitest";
import { countedTrips } from "./trips.ts";

/** Guarantees the round trips of docs/architecture.md, counted between the real functions and the real engine. */
test("a call makes as many round trips to DynamoDB, one after another, as is written down", async () => {
  expect(await countedTrips()).toEqual({
    paid: { before: 1, all: 2 },
    "paid with an idempotency key": { before: 2, all: 3 },
    "paid, something goes back": { before: 2, all: 4 },
    free: { before: 1, all: 2 },
    "paid, of a key with a rate": { before: 1, all: 2 },
    "free, of a key with a rate": { before: 1, all: 2 },
  });
});
