import { execFile } from "node:child_process";
import { cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { LASTING_IDS } from "../stack/lasting-ids.ts";
import { eventually } from "../support/eventually.ts";
import { at, listAt, textAt } from "../support/json.ts";
import { ask, issue } from "../support/keybrake.ts";
import { type OwnUpstream, startOwnUpstream } from "../support/own-upstream.ts";
import { killAllStarted, type Started, start } from "../support/start.ts";

/**
 * Guarantees that a vendor is one folder and its name in one list: the very code of docs/adding-a-vendor.md, in a copy of
 * the sources, makes a vendor with a route, a secret, prices, caps and rows.
 */

const REPOSITORY = join(import.meta.dirname, "..", "..");
const INDEX = "lambda/vendors/index.ts";
const PLACEHOLDER = "pw_placeholderplaceholder";

const run = promisify(execFile);
let copy: string;
let upstream: OwnUpstream;
let blocks: ReadonlyMap<string, string>;

/** The code of the page by the file that it is for: a path in a line of its own before the block. */
async function blocksOf(page: string): Promise<ReadonlyMap<string, string>> {
  const text = await readFile(join(REPOSITORY, page), "utf8");
  return new Map(
    [...text.matchAll(/^`(\S+\.ts)`:\n\n```ts\n(.*?)^```$/gms)].map(([, path = "", code = ""]) => [
      path,
      code,
    ]),
  );
}

/** The list with the lines of the page: an import goes before the first one, another line replaces the one it extends. */
function extended(index: string, lines: string): string {
  return lines
    .trimEnd()
    .split("\n")
    .reduce((text, line) => {
      if (line.startsWith("import ")) return `${line}\n${text}`;
      const [start = ""] = line.split("=");
      const old = text.split("\n").filter((each) => each.startsWith(start));
      expect(old).toHaveLength(1);
      return text.replace(old[0] ?? "", line);
    }, index);
}

beforeAll(async () => {
  upstream = await startOwnUpstream();
  blocks = await blocksOf("docs/adding-a-vendor.md");
  copy = await mkdtemp(join(tmpdir(), "keybrake-vendor-"));
  for (const name of [
    "bin",
    "cli",
    "dashboard",
    "lambda",
    "lib",
    "local",
    "cdk.json",
    "package.json",
    "tsconfig.json",
  ])
    await cp(join(REPOSITORY, name), join(copy, name), { recursive: true });
  await symlink(join(REPOSITORY, "node_modules"), join(copy, "node_modules"));
  for (const [path, code] of blocks) {
    const file = join(copy, path);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, path === INDEX ? extended(await readFile(file, "utf8"), code) : code);
  }
});
afterAll(async () => {
  await killAllStarted();
  await upstream.close();
  await rm(copy, { recursive: true, force: true });
});

const startCopy = (environment: Readonly<Record<string, string>>): Promise<Started> =>
  start(environment, join(copy, "bin", "local.ts"));

test("the page has the vendor's folder and the list, and nothing else is changed", () => {
  expect([...blocks.keys()].map((path) => dirname(path))).toEqual([
    ...Array(3).fill("lambda/vendors/paperwing"),
    "lambda/vendors",
  ]);
});

test("the code of the page compiles", async () => {
  const { stdout } = await run("npx", ["tsc", "-p", "."], { cwd: copy }).catch((error) => error);

  expect(stdout).toBe("");
});

test("the stack has a route, a secret and its commands more, and keeps every table, secret, bucket and API", async () => {
  const out = join(copy, "cdk.out");
  await run(process.execPath, ["bin/keybrake.ts"], { cwd: copy, env: { ...process.env, CDK_OUTDIR: out } });
  const template: unknown = JSON.parse(await readFile(join(out, "Keybrake.template.json"), "utf8"));

  const ids = Object.keys(at(template, "Resources") as object);
  expect(ids).toEqual(expect.arrayContaining(Object.values(LASTING_IDS).flat()));
  expect(ids.filter((id) => /paperwing/i.test(id)).map((id) => id.replace(/[0-9A-F]{8}$/, ""))).toEqual(
    expect.arrayContaining(["SecretsPaperwingDefault", "FrontDoorApipaperwingproxyANY"]),
  );
  expect(Object.keys(at(template, "Outputs") as object)).toEqual(
    expect.arrayContaining(["PaperwingBaseUrl", "SetPaperwingDefaultCommand"]),
  );
});

test("without a simulator the banner says what to set, and calls are refused", async () => {
  const keybrake = await startCopy({});

  const page = await readFile(join(REPOSITORY, "docs/adding-a-vendor.md"), "utf8");
  const line = keybrake.stdout().match(/^ {2}Paperwing .*$/m)?.[0] ?? "";
  expect(line).toContain("KEYBRAKE_PAPERWING_ORIGIN");
  expect(page).toContain(`\n${line}\n`);

  const key = await issue(keybrake, { vendor: "paperwing" });
  const refused = await ask(keybrake, "POST", "/paperwing/v1/letters", {
    token: key.token,
    json: { pages: 1, country: "us" },
  });
  expect(refused.status).toBe(503);
  expect(at(refused.json, "fault", "code")).toBe("credential_missing");
  expect(JSON.stringify(refused.json)).toMatch(
    /start Keybrake with [A-Z_ and]+, or with KEYBRAKE_PAPERWING_ORIGIN for a server of their own/,
  );
  await keybrake.kill("SIGTERM");
});

test("a key spends through it up to its cap, and every call has its row", async () => {
  const keybrake = await startCopy({ KEYBRAKE_PAPERWING_ORIGIN: upstream.origin });
  const key = await issue(keybrake, {
    vendor: "paperwing",
    daily_usd_cap: 1,
    allowed_endpoints: ["POST /v1/letters"],
  });
  const letter = (json: object) => ask(keybrake, "POST", "/paperwing/v1/letters", { token: key.token, json });
  for (const id of ["ltr_1", "ltr_2"])
    upstream.next((response) => {
      response.writeHead(201, { "content-type": "application/json", "request-id": `req_${id}` });
      response.end(JSON.stringify({ id }));
    });

  const first = await letter({ pages: 1, country: "us", text: "Hello" });
  const second = await letter({ pages: 1, country: "us" });
  const third = await letter({ pages: 1, country: "us" });
  const dodged = await letter({ pages: 1, country: "us", copies: 100 });
  const keys = await ask(keybrake, "POST", "/paperwing/v1/keys/new", { token: key.token, json: {} });

  expect([first, second, third, dodged, keys].map(({ status }) => status)).toEqual([201, 201, 429, 400, 403]);
  expect(third.json).toMatchObject({ fault: { code: "spend_cap_exceeded", status: 429, charged: "no" } });
  expect(textAt(dodged.json, "fault", "message")).toContain("copies: unknown parameter");
  expect(upstream.requests).toHaveLength(2);
  expect(upstream.requests[0]?.rawHeaders).toContain(`Bearer ${PLACEHOLDER}`);

  await eventually(async () => {
    const audit = await ask(keybrake, "GET", `/vault/audit?key_id=${key.id}&vendor=paperwing`, {
      token: keybrake.apiKey,
    });
    const rows = listAt(audit.json, "data");
    expect(rows.filter((row) => at(row, "state") === "settled")).toMatchObject([
      { cost_usd: 0.35, vendor_object_id: "ltr_2", vendor_request_id: "req_ltr_2" },
      { cost_usd: 0.35, vendor_object_id: "ltr_1", vendor_request_id: "req_ltr_1" },
    ]);
    expect(rows.filter((row) => at(row, "state") === "denied")).toHaveLength(3);
  });
  await keybrake.kill("SIGTERM");
});
