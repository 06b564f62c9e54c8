import { execFile } from "node:child_process";
import { cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";

/**
 * Guarantees that a column of the audit log is one place: in a copy of the sources an entry is added to the table, and
 * nothing else. The compiler then asks for its value in one place, and from there it comes by itself through the record of
 * the call, the stream and the Audit table into the answers of `GET /vault/audit`.
 */

const ROOT = join(import.meta.dirname, "..", "..");
const COPIED = [
  "package.json",
  "tsconfig.json",
  "lambda",
  "test/adapters",
  "test/support/audit-table.ts",
  "test/support/memory-audit.ts",
];
const FIELDS = "lambda/domain/audit-fields.ts";
const NEXT = "  idempotencyKey: {";
const COLUMN =
  '  vendorRegion: { name: "vendor_region", kind: "text", keptWith: ["outcome"], nullable: true },\n';

const run = promisify(execFile);
let copy: string;

beforeAll(async () => {
  copy = await mkdtemp(join(tmpdir(), "keybrake-column-"));
  for (const path of COPIED) {
    await mkdir(dirname(join(copy, path)), { recursive: true });
    await cp(join(ROOT, path), join(copy, path), { recursive: true });
  }
  await symlink(join(ROOT, "node_modules"), join(copy, "node_modules"), "dir");
  const text = await readFile(join(copy, FIELDS), "utf8");
  expect(text.split(NEXT)).toHaveLength(2);
  await writeFile(join(copy, FIELDS), text.replace(NEXT, COLUMN + NEXT));
});

afterAll(async () => {
  await rm(copy, { recursive: true, force: true });
});

test("a column that is added to the table is kept with the call and shown in its row and its event", async () => {
  const script = join(copy, "test/adapters/new-column.ts");
  const { stdout } = await run(process.execPath, [script, "vendorRegion", "eu-west-1"], { cwd: copy });

  const { data } = JSON.parse(stdout);
  expect(data).toMatchObject([{ vendor_region: "eu-west-1", events: [{ vendor_region: "eu-west-1" }] }]);
  const names = Object.keys(data[0]);
  expect(names.indexOf("vendor_region")).toBe(names.indexOf("idempotency_key") - 1);
});

test("the compiler asks for its value where the facts of a call are gathered, and nowhere else", async () => {
  const compiler = join(ROOT, "node_modules/.bin/tsc");
  const only = { extends: "./tsconfig.json", include: ["lambda"] };
  await writeFile(join(copy, "tsconfig.lambda.json"), JSON.stringify(only));

  const said = await run(compiler, ["-p", "tsconfig.lambda.json"], { cwd: copy }).then(
    ({ stdout }) => stdout,
    (error: { stdout: string }) => error.stdout,
  );

  const places = said.split("\n").filter((line) => /^\S+\(\d+,\d+\): error/.test(line));
  expect(places).toHaveLength(1);
  expect(places[0]).toMatch(/^lambda\/app\/proxy\/.*vendorRegion/);
});
