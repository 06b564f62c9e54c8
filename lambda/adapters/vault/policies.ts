import type { TransactWriteItem } from "@aws-sdk/client-dynamodb";
import type { Balance } from "../../domain/balance.ts";
import type { Policy } from "../../domain/vault-key.ts";
import type { Created, Policies } from "../../ports/policies.ts";
import { balanceItem, type LastWrite } from "../vault-items/balance-item.ts";
import type { Item } from "../vault-items/codec.ts";
import { listedItems } from "../vault-items/listed-item.ts";
import { keyTtlS, policyItem, policyKey, readPolicyItem, requestKey } from "../vault-items/policy-item.ts";
import { number, type VaultTable } from "./vault-table.ts";

const REQUEST_KEPT_S = 30 * 86_400;
const CACHED_MAX = 1_000;

/** Policies in the Vault table. One that was read is kept for as long as the process lives, since it never changes. */
export function dynamoPolicies(table: VaultTable): Policies {
  const cached = new Map<string, Policy>();
  const keep = (item: Item): Policy => {
    const policy = readPolicyItem(item);
    const oldest = cached.keys().next().value;
    if (cached.size >= CACHED_MAX && oldest !== undefined) cached.delete(oldest);
    cached.set(policy.keyId, policy);
    return policy;
  };
  return {
    async read(keyId) {
      const known = cached.get(keyId);
      if (known !== undefined) return known;
      const item = await table.get(policyKey(keyId));
      return item === null ? null : keep(item);
    },
    async readAll(keyIds) {
      const found = new Map<string, Policy>();
      const unknown = new Set<string>();
      for (const keyId of keyIds) {
        const known = cached.get(keyId);
        if (known === undefined) unknown.add(keyId);
        else found.set(keyId, known);
      }
      for (const item of await table.getAll([...unknown].map(policyKey))) {
        const policy = keep(item);
        found.set(policy.keyId, policy);
      }
      return found;
    },
    create: (policy, balance, requestHash) => create(table, policy, balance, requestHash),
  };
}

async function create(
  table: VaultTable,
  policy: Policy,
  balance: Balance,
  requestHash: string | null,
): Promise<Created> {
  const ttlS = keyTtlS(balance.expiresAtMs);
  const last: LastWrite = { op: "issue", id: policy.keyId, atMs: policy.issuedAtMs };
  const before = [balanceItem(balance, last, ttlS), ...listedItems(policy, ttlS)];
  await Promise.all(before.map((item) => table.putNew(item)));
  const policyPut = policyItem(policy, ttlS);
  if (requestHash === null) {
    await table.putNew(policyPut);
    return "created";
  }
  const request = {
    ...requestKey(requestHash),
    key_id: { S: policy.keyId },
    ttl: number(Math.floor(policy.issuedAtMs / 1000) + REQUEST_KEPT_S),
  };
  const failed = await table.transact([newPut(table, request), newPut(table, policyPut)]);
  const issued = failed?.[0]?.["key_id"]?.S;
  return issued === undefined || issued === policy.keyId ? "created" : { alreadyIssued: issued };
}

/** Makes the policy of a key, and its entries in the lists of keys, stay until then. `ttlS`: seconds. */
export async function keepKey(table: VaultTable, keyId: string, ttlS: number): Promise<void> {
  const { Attributes } = await table.update({
    Key: policyKey(keyId),
    UpdateExpression: "SET #ttl = :ttl",
    ConditionExpression: "attribute_exists(pk)",
    ExpressionAttributeNames: { "#ttl": "ttl" },
    ExpressionAttributeValues: { ":ttl": number(ttlS) },
    ReturnValues: "ALL_NEW",
  });
  // Whole entries, so that a key of a time before the lists gets into them. None ever says that its key ends before it does.
  const entries = listedItems(readPolicyItem(Attributes ?? {}), ttlS);
  await Promise.all(entries.map((item) => table.putLonger(item)));
}

const newPut = (table: VaultTable, item: Item): TransactWriteItem => ({
  Put: {
    TableName: table.name,
    Item: item,
    ConditionExpression: "attribute_not_exists(pk)",
    ReturnValuesOnConditionCheckFailure: "ALL_OLD",
  },
});
