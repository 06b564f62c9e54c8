/**
 * Started by stream-trim.engine.test.ts: trims what stands before the number of the second argument in the stream of the
 * file of the first, and waits after each step until a line comes on stdin.
 */
import { once } from "node:events";
import { startDynamoDb } from "../../../local/aws/dynamodb.ts";
import { startStreamTrim } from "../../../local/aws/stream-trim.ts";
import { TABLES } from "../../../local/aws/tables.ts";

const [dataFile, before = ""] = process.argv.slice(2);
const table = TABLES[0].name;
const { engineFile: file } = await startDynamoDb({ dataFile });
if (file === undefined) throw new Error("the engine's file is not open");

const rest = async () => {
  console.log("a step");
  await once(process.stdin, "data");
};
const trim = startStreamTrim({ file, table, announce: console.error, rest });
trim.delivered(`shardId-00000001-${table}`, before, 1_000);
await trim.settled();
