import {
  type AttributeValue,
  BatchWriteItemCommand,
  type DynamoDBClient,
  QueryCommand,
  ScanCommand,
} from "@aws-sdk/client-dynamodb";
import { plainOf } from "../../lambda/adapters/attributes.ts";
import { eventItem } from "../../lambda/adapters/audit-items/event-item.ts";
import { eventFrom } from "../../lambda/audit-wire.ts";

type Item = Record<string, AttributeValue>;

const DAY_S = 86_400;
/** Of these as many at a time as the engine writes at once. */
const WRITTEN_AT_ONCE = 25;
/** A page without a limit makes the engine read all that is left. */
const READ_AT_ONCE = 200;
const TOLD_EVERY = 20_000;
/** The lane of sums that an older version kept: no process has it. */
const OLD_LANE = "old";

/**
 * Makes the items of an Audit table of layout 1 or 2 what they are since layout 3: events get the keys of the present indexes,
 * and sums become those of a lane of their own (docs/data.md). Every step may be repeated, so a start that was killed goes on
 * where it was.
 *
 * What is reserved was in the sums before; it is no longer. A key had its sums by window and by day apart: each window's are
 * put under the UTC day in which it began.
 */
export async function upgradeAuditItems(
  client: DynamoDBClient,
  table: string,
  announce: (message: string) => void,
): Promise<void> {
  let seen = 0;
  let from: Item | undefined;
  do {
    const { Items = [], LastEvaluatedKey } = await client.send(
      new ScanCommand({
        TableName: table,
        Limit: READ_AT_ONCE,
        ...(from === undefined ? {} : { ExclusiveStartKey: from }),
      }),
    );
    const changes: Change[] = [];
    const keys = new Set<string>();
    for (const item of Items) {
      const pk = item["pk"]?.S ?? "";
      if (pk.startsWith("TOTAL#key#")) keys.add(pk);
      else changes.push(...upgraded(item));
    }
    for (const pk of keys) changes.push(...(await upgradedSumsOfKey(client, table, pk)));
    await write(client, table, changes);
    const told = Math.floor(seen / TOLD_EVERY);
    seen += Items.length;
    if (Math.floor(seen / TOLD_EVERY) > told)
      announce(`${seen.toLocaleString("en-US")} items of an older audit log are looked through`);
    from = LastEvaluatedKey;
  } while (from !== undefined);
}

/** An item to be there, or a key to be there no more. */
type Change = { readonly put: Item } | { readonly gone: Item };

/** What becomes of an event, or of a sum by day; nothing where it is new already. */
function upgraded(item: Item): readonly Change[] {
  const { pk, sk } = item;
  if (pk?.S === undefined || sk?.S === undefined) return [];
  if (item["event"] !== undefined)
    return item["key_shard"] === undefined ? [{ put: upgradedEvent(item) }] : [];
  const [, day] = /^DAY#(\d{4}-\d{2}-\d{2})$/.exec(sk.S) ?? [];
  if (!pk.S.startsWith("TOTAL#") || day === undefined) return [];
  return [{ put: sumOf(item, `DAY#${day}#`, day) }, { gone: { pk, sk } }];
}

function upgradedEvent(item: Item): Item {
  const attributes = plainOf(item, (text) => text);
  const { pk, attempt, ttl, at } = attributes;
  const event = eventFrom(`${pk}`, typeof attempt === "string" ? attempt : null, attributes);
  const retentionDays = Math.round((Number(ttl) - Date.parse(`${at}`) / 1000) / DAY_S);
  return eventItem(event, retentionDays);
}

function sumOf(item: Item, sortKey: string, day: string): Item {
  const { pk, spent_usd, allowed_calls, denied_calls } = item;
  const zero = { N: "0" };
  return {
    pk: pk ?? { S: "" },
    sk: { S: `${sortKey}${OLD_LANE}` },
    spent_usd: spent_usd ?? zero,
    allowed_calls: allowed_calls ?? zero,
    denied_calls: denied_calls ?? zero,
    ttl: { N: `${Date.parse(day) / 1000 + 401 * DAY_S}` },
  };
}

/**
 * The sums of a key: those by window stay, under a day each; those by day go, once the windows are there.
 *
 * A window that has its new sum keeps that sum's day. Windows and days may be half gone after a start that was killed, and count
 * to other days then.
 */
async function upgradedSumsOfKey(
  client: DynamoDBClient,
  table: string,
  pk: string,
): Promise<readonly Change[]> {
  const items = await itemsOf(client, table, pk);
  const days = items.filter(({ sk }) => /^DAY#[\d-]+$/.test(sk?.S ?? ""));
  const windows: { readonly item: Item; readonly window: number }[] = [];
  const known = new Map<number, string>();
  for (const item of items) {
    const [, window, day, lane] = /^WINDOW#(\d+)(?:#DAY#([\d-]+)#(\w+))?$/.exec(item["sk"]?.S ?? "") ?? [];
    if (window !== undefined && day === undefined) windows.push({ item, window: Number(window) });
    if (window !== undefined && day !== undefined && lane === OLD_LANE) known.set(Number(window), day);
  }
  const [first] = days;
  const firstDay = first?.["sk"]?.S?.slice("DAY#".length) ?? "1970-01-01";
  const firstWindow = Math.min(...windows.map(({ window }) => window));
  const puts = windows.map(({ item, window }) => {
    const dayMs = Date.parse(firstDay) + (window - firstWindow) * DAY_S * 1000;
    const day = known.get(window) ?? new Date(dayMs).toISOString().slice(0, 10);
    return { put: sumOf(item, `WINDOW#${window}#DAY#${day}#`, day) };
  });
  const gone = [...windows.map(({ item }) => item), ...days].map(({ pk: key, sk }) => ({
    gone: { pk: key ?? { S: "" }, sk: sk ?? { S: "" } },
  }));
  await write(client, table, puts);
  return gone;
}

async function itemsOf(client: DynamoDBClient, table: string, pk: string): Promise<readonly Item[]> {
  const found: Item[] = [];
  let from: Item | undefined;
  do {
    const { Items = [], LastEvaluatedKey } = await client.send(
      new QueryCommand({
        TableName: table,
        KeyConditionExpression: "pk = :pk",
        ExpressionAttributeValues: { ":pk": { S: pk } },
        Limit: READ_AT_ONCE,
        ...(from === undefined ? {} : { ExclusiveStartKey: from }),
      }),
    );
    found.push(...Items);
    from = LastEvaluatedKey;
  } while (from !== undefined);
  return found;
}

/** In their order: what is to be there is, before what it comes from is gone. */
async function write(client: DynamoDBClient, table: string, changes: readonly Change[]): Promise<void> {
  const puts = changes.flatMap((change) => ("put" in change ? [{ PutRequest: { Item: change.put } }] : []));
  const gone = changes.flatMap((change) =>
    "gone" in change ? [{ DeleteRequest: { Key: change.gone } }] : [],
  );
  for (const requests of [puts, gone]) {
    for (let start = 0; start < requests.length; start += WRITTEN_AT_ONCE) {
      const { UnprocessedItems } = await client.send(
        new BatchWriteItemCommand({
          RequestItems: { [table]: requests.slice(start, start + WRITTEN_AT_ONCE) },
        }),
      );
      if (Object.keys(UnprocessedItems ?? {}).length > 0)
        throw new Error("the engine left items of the audit log unwritten");
    }
  }
}
