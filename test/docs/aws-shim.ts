/**
 * Stands in for `aws` where a document's commands are run by a real shell: reads its arguments as test/docs/aws-command.ts
 * does, and asks the engine that AWS_ENDPOINT_URL names. Of `--query` it knows what the documents use.
 */
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { standIn } from "../../local/aws/stand-in.ts";
import { commandOf, takeOutput } from "./aws-command.ts";

const { words, output } = takeOutput(process.argv.slice(2));
const client = new DynamoDBClient(standIn(process.env["AWS_ENDPOINT_URL"] ?? ""));
try {
  const { command } = commandOf(["aws", ...words]);
  const answer: object = await client.send(command as never);
  const items = "Items" in answer ? (answer.Items as readonly Record<string, { readonly S?: string }>[]) : [];
  if (output !== null) console.log(items.map((item) => item[output]?.S).join("\t"));
} catch (error) {
  console.error(String(error));
  process.exitCode = 254;
}
