/**
 * `npm run list-old-keys -- <vault table>`: puts the keys that were issued before version 0.3 into the lists of keys of a
 * deployment, so that lists show them and a stop finds them (docs/deploying.md, Upgrade). It may be repeated.
 *
 * Acts with the caller's own AWS credentials: it scans the table and writes items `LISTED#…`.
 */
import { setTimeout as delay } from "node:timers/promises";
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { listOldKeys } from "../local/aws/key-lists-upgrade.ts";

const [table, ...rest] = process.argv.slice(2);
if (table === undefined || rest.length > 0) {
  console.error(
    "usage: npm run list-old-keys -- <vault table>\nThe stack's output VaultTableName has its name.",
  );
  process.exit(2);
}

const PAUSE_MS = 100;

const keys = await listOldKeys(new DynamoDBClient({}), table, (resends) => delay(PAUSE_MS * resends));
console.log(`${keys} keys stand in the lists`);
