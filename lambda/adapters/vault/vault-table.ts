import {
  BatchGetItemCommand,
  ConditionalCheckFailedException,
  DeleteItemCommand,
  GetItemCommand,
  PutItemCommand,
  type PutItemCommandInput,
  QueryCommand,
  type QueryCommandInput,
  TransactionCanceledException,
  type TransactWriteItem,
  TransactWriteItemsCommand,
  UpdateItemCommand,
  type UpdateItemCommandInput,
} from "@aws-sdk/client-dynamodb";
import { eachAtOnce } from "../../at-once.ts";
import { noteUnanswered } from "../../domain/unanswered.ts";
import { RESENDS_MAX, resent, withBackOff } from "../back-off.ts";
import type { DynamoClients } from "../dynamo-clients.ts";
import type { Item } from "../vault-items/codec.ts";

/** What one BatchGetItem takes. */
const READ_MAX = 100;
const READS_AT_ONCE = 8;

/** The Vault table: how its items are read, and by which client each write is sent. Reads are strongly consistent. */
export class VaultTable {
  readonly name: string;
  /** For what a caller is not told of: an operator should know. */
  readonly warn: (message: string, cause: unknown) => void;
  readonly #clients: DynamoClients;

  constructor(clients: DynamoClients, name: string, warn: (message: string, cause: unknown) => void) {
    this.#clients = clients;
    this.name = name;
    this.warn = warn;
  }

  async get(key: Item): Promise<Item | null> {
    const { Item: item } = await this.#clients.steady.send(
      new GetItemCommand({ TableName: this.name, Key: key, ConsistentRead: true }),
    );
    return item ?? null;
  }

  /** Those of the items that there are, in any order. One read for each hundred. */
  async getAll(keys: readonly Item[]): Promise<readonly Item[]> {
    const reads: Item[][] = [];
    for (let start = 0; start < keys.length; start += READ_MAX)
      reads.push(keys.slice(start, start + READ_MAX));
    const found = await eachAtOnce(reads, READS_AT_ONCE, (each) => this.#getHundred(each));
    return found.flat();
  }

  async #getHundred(keys: Item[]): Promise<readonly Item[]> {
    const found: Item[] = [];
    let unread = keys;
    return withBackOff(RESENDS_MAX, async () => {
      const { Responses, UnprocessedKeys } = await this.#clients.steady.send(
        new BatchGetItemCommand({ RequestItems: { [this.name]: { Keys: unread, ConsistentRead: true } } }),
      );
      found.push(...(Responses?.[this.name] ?? []));
      // What was throttled comes back unread, in an answer that is no error.
      unread = UnprocessedKeys?.[this.name]?.Keys ?? [];
      if (unread.length === 0) return { kind: "done", value: found };
      return {
        kind: "again",
        cause: noteUnanswered(new Error("the table left balances unread after every retry")),
      };
    });
  }

  /** One page of an index, which may lag. */
  async query(input: Omit<QueryCommandInput, "TableName">): Promise<readonly Item[]> {
    const { Items = [] } = await this.#clients.steady.send(
      new QueryCommand({ TableName: this.name, ...input }),
    );
    return Items;
  }

  /** One page of items under one partition key. `hasMore`: whether there may be more after them. */
  async page(
    input: Omit<QueryCommandInput, "TableName">,
  ): Promise<{ readonly items: readonly Item[]; readonly hasMore: boolean }> {
    const { Items = [], LastEvaluatedKey } = await this.#clients.steady.send(
      new QueryCommand({ TableName: this.name, ...input }),
    );
    return { items: Items, hasMore: LastEvaluatedKey !== undefined };
  }

  /** A write that is harmless twice: the SDK repeats it. */
  update(input: Omit<UpdateItemCommandInput, "TableName">) {
    return this.#clients.steady.send(new UpdateItemCommand({ TableName: this.name, ...input }));
  }

  /** A write that is harmless twice: the SDK repeats it. */
  put(input: Omit<PutItemCommandInput, "TableName">) {
    return this.#clients.steady.send(new PutItemCommand({ TableName: this.name, ...input }));
  }

  /** Removes an item; harmless twice. */
  async delete(key: Item): Promise<void> {
    await this.#clients.steady.send(new DeleteItemCommand({ TableName: this.name, Key: key }));
  }

  /**
   * An update that must not be applied twice: sent again only where it certainly was not applied. Nothing follows a send
   * that may have been applied, so what the last error tells is true of all sends.
   */
  updateOnce(input: Omit<UpdateItemCommandInput, "TableName">) {
    return resent(() => this.#clients.once.send(new UpdateItemCommand({ TableName: this.name, ...input })));
  }

  /** Ids are random, so an item that is there already is an earlier send of this very put. */
  putNew(item: Item): Promise<void> {
    return this.#putIf({ Item: item, ConditionExpression: "attribute_not_exists(pk)" });
  }

  /** Puts an item, unless there is one that stays for longer. */
  putLonger(item: Item): Promise<void> {
    return this.#putIf({
      Item: item,
      ConditionExpression: "attribute_not_exists(pk) OR #ttl < :ttl",
      ExpressionAttributeNames: { "#ttl": "ttl" },
      ExpressionAttributeValues: { ":ttl": item["ttl"] ?? number(0) },
    });
  }

  async #putIf(input: Omit<PutItemCommandInput, "TableName">): Promise<void> {
    await this.put(input).catch((error: unknown) => {
      if (!(error instanceof ConditionalCheckFailedException)) throw error;
    });
  }

  /** Null when all was written; else, by position, the items whose conditions failed (`{}` where there was none). */
  async transact(items: TransactWriteItem[]): Promise<readonly (Item | undefined)[] | null> {
    try {
      await resent(() => this.#clients.steady.send(new TransactWriteItemsCommand({ TransactItems: items })));
      return null;
    } catch (error) {
      const reasons = error instanceof TransactionCanceledException ? (error.CancellationReasons ?? []) : [];
      if (!reasons.some(({ Code }) => Code === "ConditionalCheckFailed")) throw error;
      return reasons.map(({ Code, Item: item }) =>
        Code === "ConditionalCheckFailed" ? (item ?? {}) : undefined,
      );
    }
  }
}

export const number = (value: bigint | number) => ({ N: `${value}` });
