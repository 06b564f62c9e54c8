import { tmpdir } from "node:os";
import { expect, test, vi } from "vitest";
import { freeBytes, watchRoom } from "../../../local/aws/room-watch.ts";

/** Guarantees that a run whose data has no room left says so before calls are refused. */

const MIB = 1024 ** 2;

test("a file system that is nearly full is told once", async () => {
  const said: string[] = [];
  const rooms = [256 * MIB, 256 * MIB - 1, 10];
  const announce = (message: string) => said.push(message);
  const watch = watchRoom({ path: "/data", announce, roomAt: async () => rooms.shift() ?? 0 });

  await watch.look();
  expect(said).toEqual([]);
  await watch.look();
  await watch.look();
  expect(said).toEqual([
    "/data has less than 256 MiB left, and calls are refused once it is full: start again with KEYBRAKE_DATA or TMPDIR where there is more",
  ]);
  watch.close();
});

test("it looks every minute until it is closed, and what cannot be looked at is no reason to stop", async () => {
  vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] });
  const roomAt = vi.fn(async () => {
    throw new Error("gone");
  });
  const watch = watchRoom({ path: "/data", announce: () => {}, roomAt });

  vi.advanceTimersByTime(120_000);
  watch.close();
  vi.advanceTimersByTime(120_000);
  vi.useRealTimers();

  expect(roomAt).toHaveBeenCalledTimes(2);
});

test("free bytes are those of the file system", async () => {
  expect(await freeBytes(tmpdir())).toBeGreaterThan(0);
});
