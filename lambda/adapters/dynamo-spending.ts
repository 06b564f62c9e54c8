import { type DynamoDBClient, QueryCommand, type QueryCommandInput } from "@aws-sdk/client-dynamodb";
import { eachAtOnce } from "../at-once.ts";
import { fromUsdText, type MicroUsd, NOTHING, plus } from "../domain/money.ts";
import { isoDay, isoTime } from "../domain/time.ts";
import type {
  DaySpend,
  NamesPage,
  RunActivity,
  RunName,
  SeenRun,
  Spend,
  Spending,
  SumName,
  WantedNames,
} from "../ports/spending.ts";
import { journalPartition, WRITTEN_TO } from "./audit-items/journal.ts";
import { namesIn, SEPARATORS } from "./audit-items/name-items.ts";
import { MINUTE_MS, minutesIn } from "./audit-items/recent.ts";
import { dayOf, dayTotals, firstMinuteOf, totalsOf } from "./audit-items/sum-items.ts";
import { ALL_SHARDS } from "./shards.ts";
import type { Item } from "./vault-items/codec.ts";

const QUERIES_AT_ONCE = 32;
const DAY_MS = 86_400_000;
/** Of each part of the names of a day: about 7,000 names a page, so about 200,000 names of a day. */
const NAME_PAGES_MAX = 4;
/** Behind every name that begins with the same text. */
const LAST = "\u{10ffff}";

/** Sums and names of the Audit table. Each is found by its key: nothing here reads events, or scans. */
export class DynamoSpending implements Spending {
  readonly #client: DynamoDBClient;
  readonly #table: string;

  constructor(client: DynamoDBClient, table: string) {
    this.#client = client;
    this.#table = table;
  }

  async recordedToMs(nowMs: number): Promise<number | null> {
    for (const day of [isoDay(nowMs), isoDay(nowMs - DAY_MS)]) {
      const parts = ALL_SHARDS.map((shard) => journalPartition(day, shard));
      const pages = await eachAtOnce(parts, QUERIES_AT_ONCE, (part) =>
        this.#page({
          KeyConditionExpression: "pk = :pk",
          ExpressionAttributeValues: { ":pk": { S: part } },
          ProjectionExpression: WRITTEN_TO,
          ScanIndexForward: false,
          Limit: 1,
        }),
      );
      const timesMs = pages.flatMap(({ items }) =>
        items.flatMap((item) => (item[WRITTEN_TO]?.S === undefined ? [] : [Date.parse(item[WRITTEN_TO].S)])),
      );
      if (timesMs.length > 0) return Math.max(...timesMs);
    }
    return null;
  }

  async days(of: SumName, fromDay: string, toDay: string): Promise<readonly DaySpend[]> {
    const days = new Map<string, Spend>();
    for await (const item of this.#sumsOf(of, fromDay, toDay)) {
      const day = dayOf(item["sk"]?.S ?? "");
      if (day >= fromDay && day < toDay) days.set(day, added(days.get(day) ?? NO_SPEND, item));
    }
    return [...days].sort().map(([day, spend]) => ({ day, ...spend }));
  }

  async activity(run: RunName, fromDay: string): Promise<RunActivity> {
    let spend = NO_SPEND;
    let lastCallAtMs: number | null = null;
    const minutes = new Map<number, { readonly calls: number; readonly spent: MicroUsd }>();
    for await (const item of this.#sumsOf(run, fromDay, BEHIND_EVERY_DAY)) {
      spend = added(spend, item);
      const last = item["last_call_at"]?.S;
      if (last !== undefined) lastCallAtMs = Math.max(lastCallAtMs ?? 0, Date.parse(last));
      for (const [minute, { calls, spent }] of minutesIn(item, firstMinuteOf(item["sk"]?.S ?? ""))) {
        const was = minutes.get(minute) ?? { calls: 0, spent: NOTHING };
        minutes.set(minute, { calls: was.calls + calls, spent: plus(was.spent, spent) });
        // Two processes may have written their last calls in another order.
        if (calls > 0) lastCallAtMs = Math.max(lastCallAtMs ?? 0, minute * MINUTE_MS);
      }
    }
    return { ...spend, lastCallAtMs, minutes: [...minutes].map(([minute, of]) => ({ minute, ...of })) };
  }

  async names({ kind, days, beginning, after, limit }: WantedNames): Promise<NamesPage> {
    const from = after === null || isBefore(after, beginning) ? beginning : after;
    const partitions = days.flatMap((day) => ALL_SHARDS.map((shard) => namesIn(kind, day, shard)));
    const pages = await eachAtOnce(partitions, QUERIES_AT_ONCE, async (partition) => {
      const { items, next } = await this.#page({
        ...sortedFrom(partition, from, beginning),
        // The first may be the one that was seen.
        Limit: limit + 1,
      });
      return { names: items.map(({ sk }) => sk?.S ?? ""), hasMore: next !== undefined };
    });
    // Names behind the last one of a part that has more may lack some of that part.
    const ends = pages.flatMap(({ names, hasMore }) => (hasMore ? names.slice(-1) : []));
    const end = ends.reduce<string | null>(
      (least, name) => (least === null || isBefore(name, least) ? name : least),
      null,
    );
    const names = [...new Set(pages.flatMap((page) => page.names))]
      .filter((name) => name.startsWith(beginning) && (after === null || isBefore(after, name)))
      .filter((name) => end === null || !isBefore(end, name))
      .sort((one, other) => (isBefore(one, other) ? -1 : 1));
    const shown = names.slice(0, limit);
    const hasMore = end !== null || names.length > limit;
    return { names: shown, next: hasMore ? (shown.at(-1) ?? end) : null };
  }

  async seenSince(kind: RunName["kind"], sinceMs: number, nowMs: number) {
    const days = [...new Set([isoDay(sinceMs), isoDay(nowMs)])];
    const partitions = days.flatMap((day) => ALL_SHARDS.map((shard) => namesIn(kind, day, shard)));
    const runs = new Map<string, SeenRun>();
    let isComplete = true;
    await eachAtOnce(partitions, QUERIES_AT_ONCE, async (partition) => {
      let from: Item | undefined;
      for (let page = 0; page === 0 || from !== undefined; page++) {
        if (page === NAME_PAGES_MAX) {
          isComplete = false;
          return;
        }
        const { items, next } = await this.#page({
          KeyConditionExpression: "pk = :names",
          FilterExpression: "seen_at >= :since",
          ExpressionAttributeValues: { ":names": { S: partition }, ":since": { S: isoTime(sinceMs) } },
          ...(from === undefined ? {} : { ExclusiveStartKey: from }),
        });
        for (const item of items) {
          const run = seenRun(kind, item);
          runs.set(run.name, seenTwice(runs.get(run.name), run));
        }
        from = next;
      }
    });
    return { runs: [...runs.values()], isComplete };
  }

  /** The items of a sum: those of days from one on and before another, but of a key those of all days. */
  async *#sumsOf({ kind, name }: SumName, fromDay: string, toDay: string): AsyncGenerator<Item> {
    if (fromDay >= toDay) return;
    const days = { ":from": { S: dayTotals(fromDay) }, ":to": { S: dayTotals(toDay) } };
    let from: Item | undefined;
    do {
      const { items, next } = await this.#page({
        KeyConditionExpression: kind === "key" ? "pk = :pk" : "pk = :pk AND sk BETWEEN :from AND :to",
        ExpressionAttributeValues: { ":pk": { S: totalsOf(kind, name) }, ...(kind === "key" ? {} : days) },
        ...(from === undefined ? {} : { ExclusiveStartKey: from }),
      });
      yield* items;
      from = next;
    } while (from !== undefined);
  }

  async #page(query: Omit<QueryCommandInput, "TableName">) {
    const { Items = [], LastEvaluatedKey } = await this.#client.send(
      new QueryCommand({ TableName: this.#table, ...query }),
    );
    return { items: Items, next: LastEvaluatedKey };
  }
}

const NO_SPEND: Spend = { spent: NOTHING, allowed: 0, denied: 0 };
const BEHIND_EVERY_DAY = "9999-12-31";

const added = ({ spent, allowed, denied }: Spend, item: Item): Spend => ({
  spent: plus(spent, fromUsdText(item["spent_usd"]?.N ?? "0")),
  allowed: allowed + Number(item["allowed_calls"]?.N ?? 0),
  denied: denied + Number(item["denied_calls"]?.N ?? 0),
});

/** As DynamoDB sorts text: by its UTF-8 bytes. */
const isBefore = (one: string, other: string): boolean =>
  Buffer.compare(Buffer.from(one), Buffer.from(other)) < 0;

/** The condition for the names of a part from one on, of those that begin with a text. */
const sortedFrom = (partition: string, from: string, beginning: string) => ({
  KeyConditionExpression: `pk = :names${from === "" ? "" : beginning === "" ? " AND sk >= :from" : " AND sk BETWEEN :from AND :to"}`,
  ExpressionAttributeValues: {
    ":names": { S: partition },
    ...(from === "" ? {} : { ":from": { S: from } }),
    ...(beginning === "" ? {} : { ":to": { S: beginning + LAST } }),
  },
});

const seenRun = (kind: RunName["kind"], item: Item): SeenRun => ({
  kind,
  name: item["sk"]?.S ?? "",
  separators: Object.entries(SEPARATORS).flatMap(([separator, attribute]) =>
    item[attribute] === undefined ? [] : [separator],
  ),
  seenAtMs: Date.parse(item["seen_at"]?.S ?? ""),
});

/** Of two days. */
const seenTwice = (one: SeenRun | undefined, other: SeenRun): SeenRun =>
  one === undefined
    ? other
    : {
        ...other,
        separators: [...new Set([...one.separators, ...other.separators])],
        seenAtMs: Math.max(one.seenAtMs, other.seenAtMs),
      };
