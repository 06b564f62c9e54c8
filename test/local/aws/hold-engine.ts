/** Started by dynamodb.test.ts: an engine on the file of the first argument, held until this process is killed. */
import { startDynamoDb } from "../../../local/aws/dynamodb.ts";

const dynamodb = await startDynamoDb({ dataFile: process.argv[2] });
console.log(dynamodb.endpoint);
