import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { DynamoAuditLog } from "../../lambda/adapters/dynamo-audit-log.ts";
import { DynamoNames } from "../../lambda/adapters/dynamo-names.ts";
import { DynamoVault } from "../../lambda/adapters/dynamo-vault.ts";
import { eachAtOnce } from "../../lambda/at-once.ts";
import { fullBalance } from "../../lambda/domain/balance.ts";
import { standIn } from "../../local/aws/stand-in.ts";
import { TABLES } from "../../local/aws/tables.ts";
import { eventsOf, issueEvent, policyOf } from "./events.ts";
import type { Facts, KeyFacts } from "./facts.ts";

const RETENTION_DAYS = 400;
/** As many events as the consumer of a stream appends at once, about. */
const CALLS_AT_ONCE = 80;
const KEYS_AT_ONCE = 8;

/** Puts the facts into the tables of a local run by the adapters of the product. */
export async function fill({ keys, calls }: Facts, dynamodbEndpoint: string): Promise<void> {
  const client = new DynamoDBClient({ ...standIn(dynamodbEndpoint), maxAttempts: 1 });
  const [vaultTable, auditTable] = TABLES;
  const clock = { now: () => Date.now() };
  const vault = new DynamoVault({ steady: client, once: client }, vaultTable.name, (message, cause) => {
    throw new Error(message, { cause });
  });
  const log = new DynamoAuditLog(client, auditTable.name, RETENTION_DAYS, clock);
  const names = new DynamoNames(client, auditTable.name, RETENTION_DAYS, clock);
  try {
    const kept = keys.filter(({ isKept }) => isKept);
    await eachAtOnce(kept, KEYS_AT_ONCE, (key) => issue(key, vault));
    await log.append(keys.map(issueEvent));
    for (let start = 0; start < calls.length; start += CALLS_AT_ONCE) {
      const events = calls.slice(start, start + CALLS_AT_ONCE).flatMap(eventsOf);
      await names.note(events);
      await log.append(events);
    }
  } finally {
    client.destroy();
  }
}

async function issue(key: KeyFacts, vault: DynamoVault): Promise<void> {
  const policy = policyOf(key);
  const { keyId, issuedAtMs } = policy;
  const balance = fullBalance({ keyId, issuedAtMs, ...policy.issuedWith }, { hasRate: false });
  const created = await vault.policies.create(policy, balance, null);
  if (created !== "created") throw new Error(`${keyId} is there already`);
}
