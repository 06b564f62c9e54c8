import {
  type AttributeValue,
  BatchGetItemCommand,
  BatchWriteItemCommand,
  ConditionalCheckFailedException,
  type DynamoDBClient,
  GetItemCommand,
  ProvisionedThroughputExceededException,
  PutItemCommand,
  QueryCommand,
  type QueryCommandInput,
  TransactionCanceledException,
  TransactionConflictException,
  TransactWriteItemsCommand,
  UpdateItemCommand,
  type UpdateItemCommandInput,
} from "@aws-sdk/client-dynamodb";
import type { TableSchema } from "../../lib/table-schemas.ts";
import { attributeSize } from "./item-size.ts";

type Item = Record<string, AttributeValue>;

/** How the stub behaves. */
export interface StubOptions {
  /** How long a write takes, in milliseconds; a transaction locks its items for as long. */
  readonly lockMs: number;
  /** Write units a second that one partition key takes, of the table and of each index. */
  readonly unitsPerKey: number;
  /** The time it goes by, in milliseconds. */
  readonly clock: { now(): number; sleep(ms: number): Promise<void> };
}

/** What was sent, and what of it was in vain. */
export interface StubCounts {
  transactions: number;
  puts: number;
  /** Transactions that were cancelled because another one was under way with an item of theirs. */
  conflicts: number;
  /** Transactions and other writes that a partition had no units for. */
  throttled: number;
  /** Write units of what was written: a transaction counts twice in the table, an index entry once. */
  units: number;
  /** Write units of transactions that were cancelled. */
  unitsInVain: number;
}

/**
 * A DynamoDB that shows what the local engine does not: two transactions on one item at a time are not both let through, and
 * a partition key of the table or of an index takes so many write units a second. It holds one table, and knows the
 * expressions that the audit log uses.
 *
 * Sources: "Amazon DynamoDB transactions: how it works" (conflicts; two units a KB), "Designing partition keys" (1,000 units
 * a second), "Item sizes and formats"; documentation of DynamoDB, read 2026-11-28.
 */
export function dynamoStub(
  schema: TableSchema,
  options: StubOptions,
): {
  readonly client: DynamoDBClient;
  readonly counts: StubCounts;
  readonly items: ReadonlyMap<string, Item>;
} {
  const stub = new Stub(schema, options);
  const client = { send: (command: unknown) => stub.send(command) } as unknown as DynamoDBClient;
  return { client, counts: stub.counts, items: stub.items };
}

const METADATA = { $metadata: {} };

/** A partition of the table or of an index, and the units that a write takes there. */
type Place = readonly [place: string, units: number];

class Stub {
  readonly items = new Map<string, Item>();
  readonly counts: StubCounts = {
    transactions: 0,
    puts: 0,
    conflicts: 0,
    throttled: 0,
    units: 0,
    unitsInVain: 0,
  };
  readonly #schema: TableSchema;
  readonly #options: StubOptions;
  readonly #locked = new Set<string>();
  readonly #buckets = new Map<string, { units: number; atMs: number }>();
  /** Index or table and partition key -> keys of items. */
  readonly #partitions = new Map<string, Set<string>>();
  /** The same, sorted: made when it is read, and forgotten at the next write. */
  readonly #sorted = new Map<string, readonly Item[]>();

  constructor(schema: TableSchema, options: StubOptions) {
    this.#schema = schema;
    this.#options = options;
  }

  async send(command: unknown): Promise<unknown> {
    if (command instanceof TransactWriteItemsCommand) return this.#transact(command);
    if (command instanceof PutItemCommand) return this.#write(command.input.Item ?? {}, null);
    if (command instanceof UpdateItemCommand) return this.#write(command.input.Key ?? {}, command.input);
    if (command instanceof QueryCommand) return this.#query(command.input);
    if (command instanceof GetItemCommand) return { Item: this.items.get(keyOf(command.input.Key ?? {})) };
    if (command instanceof BatchGetItemCommand) {
      const [[table, wanted] = ["", undefined]] = Object.entries(command.input.RequestItems ?? {});
      const items: Item[] = [];
      for (const key of wanted?.Keys ?? []) {
        const item = this.items.get(keyOf(key));
        if (item !== undefined) items.push(item);
      }
      return { Responses: { [table]: items } };
    }
    if (command instanceof BatchWriteItemCommand) return this.#writeAll(command);
    throw new Error("the stub does not know this command");
  }

  /** What is throttled or locked comes back unwritten. */
  async #writeAll({ input }: BatchWriteItemCommand): Promise<unknown> {
    const [[table, requests] = ["", []]] = Object.entries(input.RequestItems ?? {});
    const written = await Promise.allSettled(
      requests.map(({ PutRequest }) => this.#write(PutRequest?.Item ?? {}, null)),
    );
    const left = requests.filter((_, index) => written[index]?.status === "rejected");
    return { ...METADATA, UnprocessedItems: left.length === 0 ? {} : { [table]: left } };
  }

  async #transact({ input }: TransactWriteItemsCommand): Promise<unknown> {
    this.counts.transactions++;
    const writes = (input.TransactItems ?? []).map(({ Put, Update }) => {
      const key = keyOf(Put?.Item ?? Update?.Key ?? {});
      const isNew = Put?.ConditionExpression === "attribute_not_exists(pk)";
      return { key, put: Put?.Item, isNew, update: Update as UpdateItemCommandInput | undefined };
    });
    const conflicting = writes.map(({ key }) => this.#locked.has(key));
    if (conflicting.includes(true)) {
      this.counts.conflicts++;
      await this.#options.clock.sleep(this.#options.lockMs);
      throw cancelled(conflicting.map((is) => (is ? "TransactionConflict" : "None")));
    }
    for (const { key } of writes) this.#locked.add(key);
    try {
      await this.#options.clock.sleep(this.#options.lockMs);
      const exists = writes.map(({ key, isNew }) => isNew && this.items.has(key));
      const next = writes.map(({ key, put, update }) => put ?? this.#updated(key, update));
      const places = next.map((item) => this.#places(item, 2));
      const units = places.reduce((sum, [[, ofTable] = ["", 0]]) => sum + ofTable, 0);
      if (exists.includes(true)) {
        this.counts.unitsInVain += units;
        throw cancelled(exists.map((is) => (is ? "ConditionalCheckFailed" : "None")));
      }
      const throttled = places.map((ofItem) => !this.#takeUnits(ofItem));
      if (throttled.includes(true)) {
        this.counts.throttled++;
        this.counts.unitsInVain += units;
        throw cancelled(throttled.map((is) => (is ? "ThrottlingError" : "None")));
      }
      for (const [index, item] of next.entries()) this.#store(item, places[index] ?? []);
      return METADATA;
    } finally {
      for (const { key } of writes) this.#locked.delete(key);
    }
  }

  async #write(subject: Item, update: UpdateItemCommandInput | null): Promise<unknown> {
    this.counts.puts++;
    const key = keyOf(subject);
    if (this.#locked.has(key)) throw new TransactionConflictException({ message: "locked", ...METADATA });
    await this.#options.clock.sleep(this.#options.lockMs);
    if (update?.ConditionExpression !== undefined && !this.items.has(key))
      throw new ConditionalCheckFailedException({ message: "there is no such item", ...METADATA });
    const item = update === null ? subject : this.#updated(key, update);
    const places = this.#places(item, 1);
    if (!this.#takeUnits(places)) {
      this.counts.throttled++;
      throw new ProvisionedThroughputExceededException({ message: "throttled", ...METADATA });
    }
    this.#store(item, places);
    return METADATA;
  }

  /** The table's key and those of the indexes that an item is in, with the units of a write of it. */
  #places(item: Item, factor: number): readonly Place[] {
    const sizes = new Map(Object.entries(item).map(([name, value]) => [name, attributeSize(name, value)]));
    const sizeOfAll = (names: Iterable<string>) => {
      let size = 0;
      for (const name of names) size += sizes.get(name) ?? 0;
      return size;
    };
    const places: Place[] = [[`table\n${item["pk"]?.S}`, factor * unitsOf(sizeOfAll(sizes.keys()))]];
    for (const { name, partitionKey, sortKey, holds } of this.#schema.indexes) {
      const key = item[partitionKey]?.S;
      if (key === undefined) continue;
      places.push([`${name}\n${key}`, unitsOf(sizeOfAll(["pk", "sk", partitionKey, sortKey, ...holds]))]);
    }
    return places;
  }

  #takeUnits(wanted: readonly Place[]): boolean {
    const nowMs = this.#options.clock.now();
    const places = wanted.map(([place, units]) => {
      const bucket = this.#buckets.get(place) ?? { units: this.#options.unitsPerKey, atMs: nowMs };
      const refilled = bucket.units + ((nowMs - bucket.atMs) / 1000) * this.#options.unitsPerKey;
      bucket.units = Math.min(this.#options.unitsPerKey, refilled);
      bucket.atMs = nowMs;
      this.#buckets.set(place, bucket);
      return { bucket, units };
    });
    if (places.some(({ bucket, units }) => bucket.units < units)) return false;
    for (const { bucket, units } of places) {
      bucket.units -= units;
      this.counts.units += units;
    }
    return true;
  }

  #store(item: Item, places: readonly Place[]): void {
    const key = keyOf(item);
    this.items.set(key, item);
    for (const [place] of places) {
      const keys = this.#partitions.get(place) ?? new Set();
      this.#partitions.set(place, keys.add(key));
      this.#sorted.delete(place);
    }
  }

  #updated(key: string, update: UpdateItemCommandInput | undefined): Item {
    const item: Item = { ...(this.items.get(key) ?? update?.Key) };
    const names = update?.ExpressionAttributeNames ?? {};
    const values = update?.ExpressionAttributeValues ?? {};
    const [, set = "", , add = ""] = /^SET (.*?)( ADD (.*))?$/.exec(update?.UpdateExpression ?? "") ?? [];
    for (const part of set.split(", ")) {
      const [name = "", value = ""] = part.split(" = ");
      item[names[name] ?? name] = values[value] ?? { NULL: true };
    }
    for (const part of add.split(", ").filter((text) => text !== "")) {
      const [name = "", value = ""] = part.split(" ");
      const sum = micros(item[name]?.N ?? "0") + micros(values[value]?.N ?? "0");
      item[name] = { N: decimal(sum) };
    }
    return item;
  }

  #sortedIn(place: string, sortKey: string): readonly Item[] {
    const known = this.#sorted.get(place);
    if (known !== undefined) return known;
    const items = [...(this.#partitions.get(place) ?? [])]
      .map((key) => this.items.get(key) ?? {})
      .sort((one, other) => ((one[sortKey]?.S ?? "") < (other[sortKey]?.S ?? "") ? -1 : 1));
    this.#sorted.set(place, items);
    return items;
  }

  #query(input: QueryCommandInput): unknown {
    const values = input.ExpressionAttributeValues ?? {};
    const names = input.ExpressionAttributeNames ?? {};
    const [first = "", ...rest] = (input.KeyConditionExpression ?? "").split(/ AND (?!:)/);
    const [, partition = ""] = first.split(" = ");
    const index = this.#schema.indexes.find(({ name }) => name === input.IndexName);
    const sortKey = index?.sortKey ?? this.#schema.sortKey;
    const place = `${input.IndexName ?? "table"}\n${values[partition]?.S}`;
    const conditions = [...rest, ...(input.FilterExpression === undefined ? [] : [input.FilterExpression])];
    const found = this.#sortedIn(place, sortKey).filter((item) =>
      conditions.every((condition) => holdsFor(item, condition, names, values)),
    );
    if (input.ScanIndexForward === false) found.reverse();
    const start = input.ExclusiveStartKey === undefined ? null : keyOf(input.ExclusiveStartKey);
    const from = start === null ? 0 : found.findIndex((item) => keyOf(item) === start) + 1;
    const page = found.slice(from, input.Limit === undefined ? undefined : from + input.Limit);
    const last = page.at(-1);
    const more = from + page.length < found.length;
    return {
      Items: page,
      ...(more && last !== undefined && { LastEvaluatedKey: { pk: last["pk"], sk: last["sk"] } }),
    };
  }
}

/** `name BETWEEN :a AND :b`, `begins_with(name, :a)`, or `name <= :a`. */
function holdsFor(
  item: Item,
  condition: string,
  names: Readonly<Record<string, string>>,
  values: Readonly<Record<string, AttributeValue>>,
): boolean {
  const between = /^(\S+) BETWEEN (\S+) AND (\S+)$/.exec(condition);
  const begins = /^begins_with\((\S+), (\S+)\)$/.exec(condition);
  const atMost = /^(\S+) <= (\S+)$/.exec(condition);
  const name = between?.[1] ?? begins?.[1] ?? atMost?.[1] ?? "";
  const value = item[names[name] ?? name]?.S ?? "";
  if (between !== null)
    return value >= (values[between[2] ?? ""]?.S ?? "") && value <= (values[between[3] ?? ""]?.S ?? "");
  if (begins !== null) return value.startsWith(values[begins[2] ?? ""]?.S ?? "");
  if (atMost !== null) return value <= (values[atMost[2] ?? ""]?.S ?? "");
  throw new Error(`the stub does not know the condition ${condition}`);
}

const keyOf = (item: Item): string => `${item["pk"]?.S}\n${item["sk"]?.S}`;

function cancelled(codes: readonly string[]): TransactionCanceledException {
  return new TransactionCanceledException({
    message: `Transaction cancelled [${codes.join(", ")}]`,
    CancellationReasons: codes.map((Code) => ({ Code })),
    ...METADATA,
  });
}

const unitsOf = (bytes: number): number => Math.max(1, Math.ceil(bytes / 1024));

const PLACES = 6;

function micros(text: string): bigint {
  const [whole = "0", fraction = ""] = text.replace("-", "").split(".");
  const amount = BigInt(whole + fraction.padEnd(PLACES, "0"));
  return text.startsWith("-") ? -amount : amount;
}

function decimal(amount: bigint): string {
  const digits = `${amount < 0n ? -amount : amount}`.padStart(PLACES + 1, "0");
  const text = `${digits.slice(0, -PLACES)}.${digits.slice(-PLACES)}`.replace(/\.?0+$/, "");
  return amount < 0n ? `-${text}` : text;
}
