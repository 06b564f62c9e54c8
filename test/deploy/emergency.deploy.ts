import { afterAll, beforeAll, expect, test } from "vitest";
import { codeBlocks, textOf } from "../docs/markdown.ts";
import { eventually } from "../support/eventually.ts";
import { at } from "../support/json.ts";
import { auditRows, issue, type Key, type OwnRun, pay, startOwn } from "../support/keybrake.ts";
import { OUTPUTS_VARIABLE, type Outputs, printed } from "./deployment.ts";

/** The commands of docs/emergency.md, by the AWS CLI itself on the deployed stack. Near the end: they stop it. */

const BLOCKS = codeBlocks(textOf("docs/emergency.md"));
const LOOPS = BLOCKS.filter(({ code }) => code.startsWith("for ")).map(
  ({ code }, index) => [index, code] as const,
);
const DEFINITIONS = BLOCKS.filter(({ code }) => /^[a-z_]+\(\) \{/.test(code)).map(({ code }) => code);

const outputs: Outputs = JSON.parse(process.env[OUTPUTS_VARIABLE] ?? "{}");
let run: OwnRun;
beforeAll(async () => {
  run = await startOwn();
});
afterAll(() => run.close());

const shell = (code: string, variables: Readonly<Record<string, string>> = {}) =>
  printed(
    {
      environment: {
        ...(process.env as Record<string, string>),
        VAULT_TABLE: outputs["VaultTableName"] ?? "",
        AUDIT_TABLE: outputs["AuditTableName"] ?? "",
        ...variables,
      },
    },
    [...DEFINITIONS, code].join("\n"),
  );

const codeOf = async (key: Key) => {
  const { status, json } = await pay(run, key, 100);
  return status === 200 ? "paid" : `${status} ${at(json, "error", "code")}`;
};

test("a key is refused at its next call, and the audit log tells who revoked it", async () => {
  const [key, other] = [await issue(run), await issue(run)];
  await shell('revoke_key "$KEY_ID"', { KEY_ID: key.id });
  expect([await codeOf(key), await codeOf(other)]).toEqual(["401 key_revoked", "paid"]);
  await eventually(async () => {
    expect(await auditRows(run, { key_id: key.id })).toContainEqual(
      expect.objectContaining({ type: "key.revoked", by: "aws-cli" }),
    );
  }, 20_000);
  await expect(shell('revoke_key "$KEY_ID"', { KEY_ID: key.id })).rejects.toThrow(
    "ConditionalCheckFailedException",
  );
});

test.each(LOOPS)(
  "loop %i of the document revokes the keys of the label, and no other",
  async (index, code) => {
    const label = `stop-${index}/cus_A`;
    const keys = [await issue(run, { agent_run_label: label }), await issue(run, { agent_run_label: label })];
    const other = await issue(run, { agent_run_label: `go-on-${index}/cus_A` });
    await eventually(async () => {
      expect(await auditRows(run, { agent_run_label: label })).toHaveLength(2);
    }, 20_000);
    await shell(code, { LABEL: label, LABEL_GROUP: `stop-${index}` });
    expect(await Promise.all([...keys, other].map(codeOf))).toEqual([
      "401 key_revoked",
      "401 key_revoked",
      "paid",
    ]);
  },
);

test("a run is stopped and lifted: new keys are refused, and old ones revoked", async () => {
  const label = "stopped-by-hand/cus_A";
  const key = await issue(run, { agent_run_label: label });
  const STOP_ID = (await shell('stop_run agent_run_label "$LABEL"', { LABEL: "stopped-by-hand/*" }))
    .trim()
    .split("\n")
    .at(-1);
  await expect(issue(run, { agent_run_label: label })).rejects.toThrow("run_stopped");
  await eventually(async () => {
    expect(await codeOf(key)).toBe("401 key_revoked");
  }, 60_000);
  await shell('resume_run "$STOP_ID"', { STOP_ID: STOP_ID ?? "" });
  await issue(run, { agent_run_label: label });
});

test("the gateway takes throttles of 0 for the vendors' routes", async () => {
  const [command = ""] = BLOCKS.flatMap(({ code }) => (code.includes("update-stage") ? [code] : []));
  const [, id = ""] = /^https:\/\/([a-z0-9]+)\./.exec(outputs["BaseUrl"] ?? "") ?? [];
  await shell(command.replace("--rest-api-id …", `--rest-api-id ${id}`));
});

test("all calls stop by the printed command, and go through again by the other one", async () => {
  const key = await issue(run);
  expect(await codeOf(key)).toBe("paid");
  await shell(outputs["StopAllCallsCommand"] ?? "exit 3");
  expect(await codeOf(key)).toMatch(/^(429|5\d\d) /);
  // Who manages keys is not stopped.
  await issue(run);
  await shell(outputs["ResumeAllCallsCommand"] ?? "exit 3");
  await eventually(async () => {
    expect(await codeOf(key)).toBe("paid");
  }, 20_000);
});
