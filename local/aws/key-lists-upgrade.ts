import { BatchWriteItemCommand, type DynamoDBClient, ScanCommand } from "@aws-sdk/client-dynamodb";
import { listedItems } from "../../lambda/adapters/vault-items/listed-item.ts";
import { readPolicyItem } from "../../lambda/adapters/vault-items/policy-item.ts";

/** What the engine and DynamoDB write at once. */
const WRITTEN_AT_ONCE = 25;
/** A page without a limit makes the engine read all that is left. */
const READ_AT_ONCE = 200;
const RESENDS_MAX = 20;

/**
 * Puts the keys of a Vault table of layout 3 or older into the lists of keys (docs/data.md). It may be broken off and
 * repeated: an entry that is there is written again as it is. Returns the number of keys.
 */
export async function listOldKeys(
  client: DynamoDBClient,
  table: string,
  pause: (resends: number) => Promise<void> = async () => {},
): Promise<number> {
  let keys = 0;
  let from: ScanInput["ExclusiveStartKey"];
  do {
    const { Items = [], LastEvaluatedKey } = await client.send(
      new ScanCommand({
        TableName: table,
        Limit: READ_AT_ONCE,
        ConsistentRead: true,
        ExclusiveStartKey: from,
      }),
    );
    const policies = Items.filter(({ sk }) => sk?.S === "POLICY");
    keys += policies.length;
    const entries = policies.flatMap((item) => listedItems(readPolicyItem(item), Number(item["ttl"]?.N)));
    for (let start = 0; start < entries.length; start += WRITTEN_AT_ONCE)
      await put(client, table, entries.slice(start, start + WRITTEN_AT_ONCE), pause);
    from = LastEvaluatedKey;
  } while (from !== undefined);
  return keys;
}

type ScanInput = ConstructorParameters<typeof ScanCommand>[0];
type Entries = ReturnType<typeof listedItems>;

/** `pause` is awaited before what was throttled is sent again. */
async function put(
  client: DynamoDBClient,
  table: string,
  entries: Entries,
  pause: (resends: number) => Promise<void>,
): Promise<void> {
  let unwritten = entries.map((Item) => ({ PutRequest: { Item } }));
  for (let resends = 0; unwritten.length > 0; resends++) {
    if (resends > RESENDS_MAX) throw new Error("the table left entries of the lists of keys unwritten");
    if (resends > 0) await pause(resends);
    const { UnprocessedItems } = await client.send(
      new BatchWriteItemCommand({ RequestItems: { [table]: unwritten } }),
    );
    unwritten = (UnprocessedItems?.[table] ?? []) as typeof unwritten;
  }
}
