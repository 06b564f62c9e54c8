import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readdir, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { startDynamoDb } from "../../../local/aws/dynamodb.ts";
import { makeTemporaryData } from "../../../local/aws/temporary-data.ts";
import { eventually } from "../../support/eventually.ts";

/** Guarantees that what is kept for one run alone is for this user alone, and does not outlive the run. */

let place: string;
beforeEach(async () => {
  place = await mkdtemp(join(tmpdir(), "keybrake-place-"));
  vi.stubEnv("TMPDIR", place);
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await rm(place, { recursive: true, force: true });
});

const modeOf = async (path: string) => ((await stat(path)).mode & 0o777).toString(8);

/** The number of a process that has ended. */
async function endedPid(): Promise<number> {
  const child = spawn(process.execPath, ["--version"], { stdio: "ignore" });
  await once(child, "close");
  return child.pid ?? 0;
}

test("TMPDIR says where, and the files are for this user alone", async () => {
  const dynamodb = await startDynamoDb();
  const { file = "", isTemporary } = dynamodb.data ?? {};

  expect(dirname(dirname(file))).toBe(place);
  expect(isTemporary).toBe(true);
  expect(await modeOf(dirname(file))).toBe("700");
  const files = await readdir(dirname(file));
  expect(files.sort()).toEqual(["keybrake.db", "keybrake.db-shm", "keybrake.db-wal", "keybrake.db.lock"]);
  for (const name of files.filter((each) => !each.endsWith(".lock")))
    expect([name, await modeOf(join(dirname(file), name))]).toEqual([name, "600"]);

  await dynamodb.close();
  expect(await readdir(place)).toEqual([]);
});

test.runIf(process.platform === "linux")("without TMPDIR it is in memory where there is room", async () => {
  vi.stubEnv("TMPDIR", undefined);

  const { folder, remove } = await makeTemporaryData();

  expect(["/dev/shm", tmpdir()]).toContain(dirname(folder));
  await remove();
  expect(existsSync(folder)).toBe(false);
});

test("a SIGKILL of our process removes it too, once the engine is gone", async () => {
  const holder = spawn(process.execPath, [join(import.meta.dirname, "hold-engine.ts")], {
    stdio: ["ignore", "pipe", "inherit"],
    env: { ...process.env, TMPDIR: place },
  });
  await once(holder.stdout, "data");
  expect(await readdir(place)).toHaveLength(1);

  holder.kill("SIGKILL");

  await eventually(async () => expect(await readdir(place)).toEqual([]));
});

test("a start removes what was left by a process that is gone, and nothing else", async () => {
  const own = await makeTemporaryData();
  const name = own.folder.slice(place.length + 1);
  const gone = await endedPid();
  const left = join(place, name.replace(`-${process.pid}-`, `-${gone}-`));
  await mkdir(left);
  await writeFile(join(left, "keybrake.db"), "");
  const held = `${left}held`;
  await mkdir(held);
  // Its engine is still there, or what waits for it.
  await writeFile(join(held, "keybrake.db.lock"), `${gone}\n${process.pid}`);
  const elsewhere = join(place, `keybrake-data-00000000-${gone}-abcdef`);
  await mkdir(elsewhere);
  const linked = join(place, "linked");
  await mkdir(linked);
  await symlink(linked, `${left}link`);
  await writeFile(`${left}file`, "");

  const another = await makeTemporaryData();

  expect(existsSync(left)).toBe(false);
  for (const path of [own.folder, another.folder, held, elsewhere, linked, `${left}link`, `${left}file`])
    expect([path, existsSync(path)]).toEqual([path, true]);
});

test("a place that cannot be written to is named, with what to do", async () => {
  vi.stubEnv("TMPDIR", join(place, "missing"));

  await expect(startDynamoDb()).rejects.toThrow(
    `cannot keep data in ${join(place, "missing")}: there is no such file or folder (ENOENT); set TMPDIR to a folder that you can write to, or KEYBRAKE_DATA to a file`,
  );
});
