import { expect, test } from "vitest";
import { LineWriter } from "../../local/line-writer.ts";
import { gate } from "./gate.ts";

/** Guarantees that a slow output never slows down calls. */

/** A writer whose output is kept, and takes as long as the test says. */
function writing(waitingMax: number, taken: () => Promise<void> = async () => {}) {
  const written: string[] = [];
  const lines = new LineWriter({
    waitingMax,
    sleep: async () => {},
    write: async (text) => {
      written.push(text);
      await taken();
    },
  });
  return { lines, written };
}

test("lines wait until it is opened, and then go out in one write", async () => {
  const { lines, written } = writing(10);
  for (const text of ["one", "two", "three"]) lines.line(text);
  await Promise.resolve();
  expect(written).toEqual([]);

  lines.open();

  expect(await lines.close(1_000)).toBe(true);
  expect(written).toEqual(["one\ntwo\nthree\n"]);
});

test("what does not fit while a write is under way is counted, not kept", async () => {
  const door = gate();
  const { lines, written } = writing(3, () => door.passed);
  lines.open();
  lines.line("first");
  await new Promise((resolve) => setImmediate(resolve));
  for (let index = 0; index < 500; index++) lines.line(`line ${index}`);

  door.open();

  expect(await lines.close(1_000)).toBe(true);
  expect(written).toEqual([
    "first\n",
    "line 0\nline 1\nline 2\n… 497 lines left out: the output could not keep up with the calls\n",
  ]);
});

test("an output that takes nothing is waited for no longer than told", async () => {
  const { lines } = writing(3, () => new Promise(() => {}));
  lines.open();
  lines.line("first");
  await new Promise((resolve) => setImmediate(resolve));

  expect(await lines.close(5)).toBe(false);
});
