import type { TableV2 } from "aws-cdk-lib/aws-dynamodb";
import type { IKey } from "aws-cdk-lib/aws-kms";
import { Construct } from "constructs";
import { ENV } from "../lambda/environment.ts";
import { LAYOUT_KEY, STOPS_KEY } from "../lambda/layout.ts";
import type { ServiceFunction } from "./service-function.ts";
import { allowTableKey, tableOf } from "./table.ts";
import { VAULT_TABLE } from "./table-schemas.ts";

/**
 * The table of keys, balances and calls. Losing it loses every cap, so it outlives its stack.
 *
 * Expiry is enforced by the code that reads a key: DynamoDB removes what has expired late, so the TTL only keeps the table
 * small. Nobody may delete here, but for what is done on the due list. Each function writes its own kinds of items, told by
 * their partition keys: so none but the dashboard's writes a login. A role that updates balances could write API keys, which
 * share the partitions of keys, and sign in with one.
 */
export class VaultTable extends Construct {
  readonly table: TableV2;

  constructor(scope: Construct, id: string, { key }: { readonly key: IKey | undefined }) {
    super(scope, id);
    this.table = tableOf(this, "Table", VAULT_TABLE, key);
  }

  /** New keys: a key's items are put, each on condition that it is not there. Their issuer is read. */
  grantIssue(service: ServiceFunction): void {
    this.#grant(service, "dynamodb:GetItem", "dynamodb:BatchGetItem");
    this.#allowOn(service, ["dynamodb:PutItem"], ["KEY#*", "LISTED#*", "ISSUE#*"]);
    this.#allowOn(service, ["dynamodb:UpdateItem"], [LAYOUT_KEY.pk]);
  }

  /** New API keys as new keys; their list; and what ends them. */
  grantApiKeys(service: ServiceFunction): void {
    this.#grant(service, "dynamodb:GetItem", "dynamodb:BatchGetItem");
    this.#allowOn(service, ["dynamodb:PutItem"], ["KEY#*", "API_KEYS"]);
    this.#allowOn(service, ["dynamodb:UpdateItem"], ["KEY#*", LAYOUT_KEY.pk]);
    this.#allowOn(service, ["dynamodb:Query"], ["API_KEYS"]);
  }

  /** Reads keys, changes their caps and expiry, revokes them. */
  grantManage(service: ServiceFunction): void {
    this.#grant(service, "dynamodb:GetItem", "dynamodb:BatchGetItem");
    this.#allowOn(service, ["dynamodb:UpdateItem"], ["KEY#*", LAYOUT_KEY.pk]);
  }

  /** The lists of keys. */
  grantReadLists(service: ServiceFunction): void {
    this.#allowOn(service, ["dynamodb:Query"], ["LISTED#*"]);
  }

  /** A key that lives longer stays in the lists of keys for longer. */
  grantKeepListed(service: ServiceFunction): void {
    this.#allowOn(service, ["dynamodb:PutItem"], ["LISTED#*"]);
  }

  /** Revokes a new key whose stop was ordered meanwhile. */
  grantHeedStops(service: ServiceFunction): void {
    this.#allowOn(service, ["dynamodb:UpdateItem"], ["KEY#*"]);
  }

  /** Orders, shows and lifts stops, and reads whom they reach. */
  grantManageStops(service: ServiceFunction): void {
    this.#grantReadStopped(service);
    this.#allowOn(service, ["dynamodb:UpdateItem"], [STOPS_KEY.pk, LAYOUT_KEY.pk]);
  }

  /** Revokes the keys of stops, and keeps how far that is. */
  grantApplyStops(service: ServiceFunction): void {
    this.#grantReadStopped(service);
    this.#allowOn(service, ["dynamodb:UpdateItem"], ["KEY#*", STOPS_KEY.pk, LAYOUT_KEY.pk]);
  }

  /** Starts and ends logins of the dashboard, for API keys that it reads. */
  grantLogins(service: ServiceFunction): void {
    this.#grant(service);
    this.#allowOn(
      service,
      ["dynamodb:GetItem", "dynamodb:BatchGetItem"],
      ["KEY#*", "LOGIN#*", LAYOUT_KEY.pk],
    );
    this.#allowOn(service, ["dynamodb:PutItem"], ["LOGIN#*", "LOGIN_CODE#*"]);
    this.#allowOn(
      service,
      ["dynamodb:UpdateItem"],
      ["LOGIN#*", "LOGIN_CODE#*", "LOGIN_TRIES#*", LAYOUT_KEY.pk],
    );
  }

  #grantReadStopped(service: ServiceFunction): void {
    this.#grant(service);
    const keys = ["KEY#*", "LISTED#*", "LOGIN#*", STOPS_KEY.pk, LAYOUT_KEY.pk];
    this.#allowOn(service, ["dynamodb:GetItem", "dynamodb:BatchGetItem", "dynamodb:Query"], keys);
    this.#allowOn(service, ["dynamodb:PutItem"], [STOPS_KEY.pk]);
  }

  /** Reserves, settles and releases, and keeps the records of calls. */
  grantCalls(service: ServiceFunction): void {
    this.#grant(service, "dynamodb:GetItem", "dynamodb:BatchGetItem");
    this.#allowWriteCalls(service);
  }

  /** Closes calls whose outcome nobody knows: their records, the balances of their keys, and what is counted for objects. */
  grantCloseCalls(service: ServiceFunction): void {
    this.#grant(service);
    const read = ["KEY#*", "CALL#*", "LOGIN#*", LAYOUT_KEY.pk];
    this.#allowOn(service, ["dynamodb:GetItem", "dynamodb:BatchGetItem"], read);
    this.#allowWriteCalls(service);
  }

  /** Finds calls that are settled at an estimate, and settles them. */
  grantLatePrices(service: ServiceFunction): void {
    this.#grant(service, "dynamodb:GetItem");
    this.#allowWriteCalls(service);
    service.allow(
      ["dynamodb:Query"],
      VAULT_TABLE.indexes.map(({ name }) => `${this.table.tableArn}/index/${name}`),
    );
  }

  /** Finishes calls on evidence: fences their keys, writes their records, sends what goes back, and works off the due list. */
  grantResolve(service: ServiceFunction): void {
    this.#grant(service, "dynamodb:GetItem", "dynamodb:BatchGetItem");
    this.#allowOn(service, ["dynamodb:PutItem"], ["DUE#*"]);
    this.#allowWriteCalls(service);
    this.#allowOn(service, ["dynamodb:Query", "dynamodb:DeleteItem"], ["DUE#*"]);
  }

  /** Puts calls on the due list and sees whether any are due, and nothing else. */
  grantPutDue(service: ServiceFunction): void {
    this.#allowOn(service, ["dynamodb:PutItem", "dynamodb:Query"], ["DUE#*"]);
  }

  /** Reads keys: of whoever asks, or that an audit row is about. */
  grantReadKeys(service: ServiceFunction): void {
    this.#grant(service, "dynamodb:GetItem", "dynamodb:BatchGetItem");
  }

  /** Records of calls, the balances of their keys, and what is counted for objects. */
  #allowWriteCalls(service: ServiceFunction): void {
    // A record and its object are one transaction: whether its keys are looked at each or together, both are allowed.
    this.#allowOn(service, ["dynamodb:PutItem"], ["CALL#*", "ROOT#*"]);
    this.#allowOn(service, ["dynamodb:UpdateItem"], ["KEY#*", "CALL#*", "ROOT#*", LAYOUT_KEY.pk]);
  }

  /** On items with these partition keys alone. */
  #allowOn(service: ServiceFunction, actions: readonly string[], partitionKeys: readonly string[]): void {
    service.allow(actions, [this.table.tableArn], {
      "ForAllValues:StringLike": { "dynamodb:LeadingKeys": [...partitionKeys] },
    });
  }

  #grant(service: ServiceFunction, ...actions: string[]): void {
    if (actions.length > 0) service.allow(actions, [this.table.tableArn]);
    allowTableKey(service);
    service.setEnvironment(ENV.vaultTable, this.table.tableName);
  }
}
