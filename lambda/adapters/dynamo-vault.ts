import type { ApiKeys } from "../ports/api-keys.ts";
import type { Balances } from "../ports/balances.ts";
import type { Calls } from "../ports/calls.ts";
import type { ListedKeys } from "../ports/listed-keys.ts";
import type { Objects } from "../ports/objects.ts";
import type { Policies } from "../ports/policies.ts";
import type { Vault } from "../ports/vault.ts";
import type { DynamoClients } from "./dynamo-clients.ts";
import { dynamoApiKeys } from "./vault/api-keys.ts";
import { dynamoBalances } from "./vault/balances.ts";
import { dynamoCalls } from "./vault/calls.ts";
import { dynamoListedKeys } from "./vault/listed-keys.ts";
import { dynamoObjects } from "./vault/objects.ts";
import { dynamoPolicies } from "./vault/policies.ts";
import { VaultTable } from "./vault/vault-table.ts";

/**
 * Keys, balances and calls in the Vault table. Every condition is the one of docs/protocol.md; the pure rules beside it
 * are those of lambda/domain, and test/adapters holds both to one contract.
 *
 * Conditional writes: a failed condition returns the item as it was, so that unknown, revoked, expired and exhausted
 * are told apart in the same round trip (DynamoDB, ReturnValuesOnConditionCheckFailure, read 2026-11-22).
 */
export class DynamoVault implements Vault {
  /** What manages keys; a call needs none of them. */
  readonly apiKeys: ApiKeys;
  readonly policies: Policies;
  readonly balances: Balances;
  readonly calls: Calls;
  readonly objects: Objects;
  readonly listedKeys: ListedKeys;

  constructor(clients: DynamoClients, name: string, warn: (message: string, cause: unknown) => void) {
    const table = new VaultTable(clients, name, warn);
    this.apiKeys = dynamoApiKeys(table);
    this.policies = dynamoPolicies(table);
    this.balances = dynamoBalances(table);
    this.calls = dynamoCalls(table);
    this.objects = dynamoObjects(table);
    this.listedKeys = dynamoListedKeys(table);
  }
}
