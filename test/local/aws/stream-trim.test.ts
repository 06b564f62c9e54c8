import { expect, test } from "vitest";
import type { EngineFile } from "../../../local/aws/engine-file.ts";
import { startStreamTrim } from "../../../local/aws/stream-trim.ts";

/** Guarantees that delivered records are deleted little by little, and that what fails there disturbs nothing. */

/** A stream of so many records, numbered from 1, whose trims are written down. */
function streamOf(length: number, answers: (number | undefined | Error)[] = []) {
  const trims: string[] = [];
  let trimmed = 0;
  const file: EngineFile = {
    trimStream: ({ table, shardId }, before, most) => {
      trims.push(`${table} ${shardId} before ${before}, at most ${most}`);
      const answer = answers.shift();
      if (answer instanceof Error) throw answer;
      if (answer === undefined && answers.length > 0) return undefined;
      const deleted = Math.min(most, Number(before) - 1 - trimmed);
      trimmed += deleted;
      return deleted;
    },
    streamLength: () => length,
    close: () => {},
  };
  return { file, trims, trimmed: () => trimmed };
}

function startOn(file: EngineFile) {
  const said: string[] = [];
  const tell = (message: string) => said.push(message);
  const trim = startStreamTrim({ file, table: "t", announce: tell, tell, rest: async () => {} });
  return { trim, said };
}

test("500 delivered records are worth a trim, fewer are not", async () => {
  const { file, trims, trimmed } = streamOf(1_000);
  const { trim } = startOn(file);

  trim.delivered("s", "300", 300);
  trim.delivered("s", "499", 199);
  await trim.settled();
  expect(trims).toEqual([]);

  trim.delivered("s", "500", 1);
  await trim.settled();
  expect(trims).toEqual(Array(5).fill("t s before 500, at most 100"));
  expect(trimmed()).toBe(499);
});

test("what is delivered while a trim is under way is trimmed after it", async () => {
  const { file, trimmed } = streamOf(2_000);
  const { trim } = startOn(file);

  trim.delivered("s", "500", 500);
  trim.delivered("s", "700", 200);
  trim.delivered("s", "1000", 300);
  await trim.settled();

  expect(trimmed()).toBe(999);
});

test("a trim that meets a write of the engine comes again", async () => {
  const { file, trims } = streamOf(1_000, [undefined, undefined, 0]);
  const { trim } = startOn(file);

  trim.delivered("s", "101", 500);
  await trim.settled();

  expect(trims).toHaveLength(4);
});

test("catching up is done at once, in larger steps, and tells how far it is", async () => {
  const { file, trims, trimmed } = streamOf(250_000);
  const { trim, said } = startOn(file);

  await trim.catchUp("s", "250000");

  expect(trims).toHaveLength(125);
  expect(trims[0]).toBe("t s before 250000, at most 2000");
  expect(trimmed()).toBe(249_999);
  expect(said).toEqual([
    "removed 100000 of 250000 records of the stream, which are delivered",
    "removed 200000 of 250000 records of the stream, which are delivered",
  ]);
});

test("a trim that fails is told once, and there is no other", async () => {
  const { file, trims } = streamOf(1_000, [new Error("disk I/O error")]);
  const { trim, said } = startOn(file);

  trim.delivered("s", "600", 600);
  await trim.settled();
  trim.delivered("s", "1000", 600);
  await trim.catchUp("s", "1000");
  await trim.settled();

  expect(trims).toHaveLength(1);
  expect(said).toEqual(["delivered records of the stream of t stay in the data file: disk I/O error"]);
});

test("a closed trim touches the file no more", async () => {
  const { file, trims } = streamOf(1_000);
  const { trim } = startOn(file);

  trim.delivered("s", "600", 600);
  await trim.close();
  trim.delivered("s", "1000", 600);
  await trim.settled();

  expect(trims).toEqual([]);
});
