import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { codeBlocks, textOf } from "../docs/markdown.ts";
import { deploymentUnderTest } from "../support/deployed.ts";
import { at, listAt, textAt } from "../support/json.ts";
import { callRows, issue, type OwnRun, pay, startOwn } from "../support/keybrake.ts";
import { OUTPUTS_VARIABLE, type Outputs, printed } from "./deployment.ts";

/** Every command of docs/audit-queries.md, run by the AWS CLI on the deployed table. What they find to the last row: test/docs. */
const COMMANDS = codeBlocks(textOf("docs/audit-queries.md")).filter(({ code }) => code.startsWith("aws "));
const LABEL = "audit-queries/cus_A";
/** A query of an index asks one of them, so the document has it repeated for each. */
const SHARDS = ["0", "1", "2", "3", "4", "5", "6", "7"];

const outputs: Outputs = JSON.parse(process.env[OUTPUTS_VARIABLE] ?? "{}");
let run: OwnRun;
let keyId: string;
let environment: Record<string, string>;

beforeAll(async () => {
  run = await startOwn();
  const key = await issue(run, { agent_run_label: LABEL });
  keyId = key.id;
  const from = new Date();
  const { headers } = await pay(run, key, 700);
  const [row] = await callRows(run, key);
  environment = {
    ...(process.env as Record<string, string>),
    DYNAMODB: deploymentUnderTest()?.awsEndpoint ?? "",
    CALL_ID: `${headers["keybrake-call-id"]}`,
    KEY_ID: key.id,
    LABEL,
    LABEL_GROUP: "audit-queries",
    LABEL_PREFIX: "audit-queries/cus_",
    DAY: textAt(row, "at").slice(0, 10),
    FROM: from.toISOString().slice(0, -1),
    TO: new Date().toISOString().slice(0, -1),
  };
});
afterAll(() => run.close());

describe.each(COMMANDS)("$heading", ({ heading, code }) => {
  test(`${code.split(" ", 3)[2]} finds the charge`, async () => {
    const command = code.replaceAll("keybrake-audit", outputs["AuditTableName"] ?? "");
    const items: unknown[] = [];
    for (const shard of code.includes("$SHARD") ? SHARDS : ["0"]) {
      const said = await printed({ environment: { ...environment, SHARD: shard } }, command);
      items.push(...listAt(JSON.parse(said), "Items"));
    }

    if (heading.startsWith("Totals")) {
      const spent = items.reduce<number>((sum, item) => sum + Number(textAt(item, "spent_usd", "N")), 0);
      expect(spent).toBeGreaterThanOrEqual(7);
    } else if (heading.startsWith("Overruns")) {
      // Nothing cost more than was reserved; test/docs has one that did.
      expect(items).toEqual([]);
    } else {
      const settled = items.filter((item) => at(item, "event", "S") === "settled");
      expect(settled.map((item) => at(item, "key_id", "S"))).toContain(keyId);
    }
  });
});
