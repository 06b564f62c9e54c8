import { spawn } from "node:child_process";
import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { at, textAt } from "../support/json.ts";
import { ask, auditRows, issue, type Key, type OwnRun, pay, startOwn } from "../support/keybrake.ts";
import { codeBlocks, REPOSITORY, textOf } from "./markdown.ts";

/**
 * Guarantees that the commands of docs/emergency.md stop a run: a real shell runs them as they stand, with a stand-in for
 * the AWS CLI that knows no more than they need. The CLI itself runs them in test/deploy.
 */

const BLOCKS = codeBlocks(textOf("docs/emergency.md")).filter(({ language }) => language === "sh");
const DEFINITIONS = BLOCKS.filter(({ code }) => /^[a-z_]+\(\) \{/.test(code)).map(({ code }) => code);

/** A shell and a program for each command. */
vi.setConfig({ testTimeout: 120_000 });

let run: OwnRun;
let folder: string;
beforeAll(async () => {
  run = await startOwn();
  folder = await mkdtemp(join(tmpdir(), "keybrake-emergency-"));
  const program = `#!/bin/sh\nexec '${process.execPath}' '${join(REPOSITORY, "test/docs/aws-shim.ts")}' "$@"\n`;
  await writeFile(join(folder, "aws"), program);
  await chmod(join(folder, "aws"), 0o755);
});
afterAll(async () => {
  await run.close();
  await rm(folder, { recursive: true });
});

/** Runs blocks of the document in one shell; what they complained about. */
function shell(code: string, variables: Readonly<Record<string, string>>): Promise<string> {
  const child = spawn("bash", ["--norc", "--noprofile", "-c", [...DEFINITIONS, code].join("\n")], {
    stdio: ["ignore", "ignore", "pipe"],
    env: {
      PATH: `${folder}${delimiter}${process.env["PATH"]}`,
      AWS_ENDPOINT_URL: run.dynamodbEndpoint,
      VAULT_TABLE: "keybrake-vault",
      AUDIT_TABLE: "keybrake-audit",
      ...variables,
    },
  });
  let complaints = "";
  child.stderr.on("data", (chunk) => {
    complaints += chunk;
  });
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", () => resolve(complaints));
  });
}

const isRefused = async (key: Key): Promise<boolean> => {
  const { status, json } = await pay(run, key, 100);
  if (status === 200) return false;
  expect([status, at(json, "error", "code")]).toEqual([401, "key_revoked"]);
  return true;
};

test("a key is refused at its next call, and the audit log tells who revoked it", async () => {
  const [key, other] = [await issue(run), await issue(run)];
  await pay(run, key, 100);

  expect(await shell('revoke_key "$KEY_ID"', { KEY_ID: key.id })).toBe("");

  expect(await isRefused(key)).toBe(true);
  expect(await isRefused(other)).toBe(false);
  const rows = await auditRows(run, { key_id: key.id });
  expect(rows).toContainEqual(expect.objectContaining({ type: "key.revoked", by: "aws-cli" }));
  expect(rows).toContainEqual(expect.objectContaining({ state: "settled", cost_usd: 1 }));
  const view = await ask(run, "GET", `/vault/keys/${key.id}`, { token: run.apiKey });
  expect(at(view.json, "status")).toBe("revoked");
});

test("a second time, and a key that is not there, change nothing and say so", async () => {
  const key = await issue(run);
  const before = await auditRows(run);
  expect(await shell('revoke_key "$KEY_ID"', { KEY_ID: key.id })).toBe("");
  for (const KEY_ID of [key.id, "key_AAAAAAAAAAAAAAAA"])
    expect(await shell('revoke_key "$KEY_ID"', { KEY_ID })).toContain("ConditionalCheckFailedException");
  expect(await auditRows(run)).toHaveLength(before.length + 1);
});

test.each(
  BLOCKS.filter(({ code }) => code.startsWith("for ")).map(({ code }, index) => [index, code] as const),
)("loop %i of the document revokes the keys of the label, and no other", async (index, code) => {
  const label = `stop-${index}/cus_A`;
  const keys = [await issue(run, { agent_run_label: label }), await issue(run, { agent_run_label: label })];
  const other = await issue(run, { agent_run_label: `go-on-${index}/cus_A` });
  await run.drain();

  expect(await shell(code, { LABEL: label, LABEL_GROUP: `stop-${index}` })).toBe("");

  expect(await Promise.all(keys.map(isRefused))).toEqual([true, true]);
  expect(await isRefused(other)).toBe(false);
});

test("a run is stopped and lifted: new keys are refused, old ones revoked, and both are told", async () => {
  const label = "stopped-by-hand/cus_A";
  const issues = (agent_run_label: string) =>
    ask(run, "POST", "/vault/keys", {
      token: run.apiKey,
      json: { vendor: "stripe", daily_usd_cap: 5, agent_run_label },
    });
  const [key, other] = [await issue(run, { agent_run_label: label }), await issue(run)];
  expect(await shell('stop_run agent_run_label "$LABEL"', { LABEL: "stopped-by-hand/*" })).toBe("");

  const refused = await issues(label);
  expect([refused.status, at(refused.json, "error", "code")]).toEqual([403, "run_stopped"]);
  expect((await issues("another/cus_A")).status).toBe(201);
  await run.drain();
  expect(await isRefused(key)).toBe(true);
  expect(await isRefused(other)).toBe(false);
  const STOP_ID = textAt(refused.json, "error", "stop_id");
  const shown = async () => (await ask(run, "GET", `/vault/stops/${STOP_ID}`, { token: run.apiKey })).json;
  expect(await shown()).toMatchObject({ by: "aws-cli", state: "in_force", keys_revoked: 1 });

  expect(await shell('resume_run "$STOP_ID"', { STOP_ID })).toBe("");
  expect((await issues(label)).status).toBe(201);
  await run.drain();
  expect(await shown()).toMatchObject({ state: "lifted", lifted_by: "aws-cli" });
  const rows = await auditRows(run, { key_id: STOP_ID });
  expect(rows.map(({ type, by }) => `${type} by ${by}`).sort()).toEqual([
    "run.resumed by aws-cli",
    "run.stopped by aws-cli",
  ]);
  expect(await shell('resume_run "$STOP_ID"', { STOP_ID })).toContain("ConditionalCheckFailedException");
});

test("every block is run here, but for the one that only names", () => {
  expect(BLOCKS.map(({ code }) => code.split(/[\s(]/, 1)[0])).toEqual([
    "export",
    "stop_run",
    "stop_run",
    "resume_run",
    "resume_run",
    "revoke_key",
    "revoke_key",
    "for",
    "for",
    "for",
  ]);
});
