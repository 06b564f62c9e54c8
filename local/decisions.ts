import type { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import type { DynamoDBRecord } from "aws-lambda";
import { DynamoVault } from "../lambda/adapters/dynamo-vault.ts";
import { changeFrom } from "../lambda/adapters/vault-changes.ts";
import { eventsOf, keysOf } from "../lambda/app/audit/record-audit.ts";
import { parseVaultKey } from "../lambda/domain/vault-key.ts";
import { tokenOf } from "../lambda/http/request.ts";
import type { GatewayAnswer } from "./aws/gateway-answer.ts";
import { TABLES } from "./aws/tables.ts";
import { type Decision, decisionOf } from "./decision-line.ts";

/** A request as the gateway got it, with its answer. */
export interface Exchange {
  readonly atMs: number;
  readonly method: string;
  readonly path: string;
  readonly authorization: string | undefined;
  readonly answer: Pick<GatewayAnswer, "status" | "headers" | "body">;
}

/**
 * Tells the decisions that records of the Vault's stream show, by the same reading that makes the rows of the audit log
 * (docs/decisions/0032-lines-from-the-audit-log.md).
 */
export function decisionsFrom(
  client: DynamoDBClient,
): (records: readonly DynamoDBRecord[]) => Promise<readonly Decision[]> {
  const vault = new DynamoVault({ steady: client, once: client }, TABLES[0].name, () => {});
  return async (records) => {
    const decisions: Decision[] = [];
    const changes = records.map(changeFrom);
    const policies = await vault.policies.readAll(changes.flatMap(keysOf));
    for (const change of changes) {
      for (const event of eventsOf(change, policies)) {
        const decision = decisionOf(event);
        if (decision !== null) decisions.push(decision);
      }
    }
    return decisions;
  };
}

/** The records that a consumer has done with, by its answer: those before the lowest that it reports as failed. */
export function consumedOf(records: readonly DynamoDBRecord[], answer: unknown): readonly DynamoDBRecord[] {
  const failures = at(answer, "batchItemFailures");
  if (!Array.isArray(failures)) return records;
  const failed = new Set(failures.map((failure) => at(failure, "itemIdentifier")));
  const lowest = records.findIndex(({ dynamodb }) => failed.has(dynamodb?.SequenceNumber));
  return failed.size === 0 ? records : records.slice(0, Math.max(0, lowest));
}

/** The header that every decision on a known key has; those are on a row. */
const ON_A_ROW = "keybrake-call-id";

/** A refusal that no row of the audit log tells: of an unknown key, of our own API, of the gateway. Null for all else. */
export function refusalIn({ atMs, method, path, authorization, answer }: Exchange): Decision | null {
  if (answer.status < 400) return null;
  if (answer.headers.some(([name]) => name.toLowerCase() === ON_A_ROW)) return null;
  const token = tokenOf({ authorization: authorization === undefined ? [] : [authorization] });
  return {
    atMs,
    method,
    path,
    keyId: token === null ? null : (parseVaultKey(token)?.keyId ?? null),
    label: null,
    outcome: `DENIED ${answer.status} ${codeOf(answer)}`.trimEnd(),
    tone: "refused",
  };
}

/** Our code: in a header of every denial of a vendor's path, and in the body of our own API's errors. */
function codeOf({ headers, body }: Exchange["answer"]): string {
  const [, told] = headers.find(([name]) => name.toLowerCase() === "keybrake-code") ?? [];
  if (told !== undefined) return told;
  try {
    const code = at(at(JSON.parse(body.toString()), "error"), "code");
    return typeof code === "string" ? code : "";
  } catch {
    return "";
  }
}

const at = (value: unknown, name: string): unknown =>
  typeof value === "object" && value !== null
    ? (value as Readonly<Record<string, unknown>>)[name]
    : undefined;
