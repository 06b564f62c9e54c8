/**
 * `npm run replay-dead-letters -- <bucket> <function>`: gives the consumer of the audit log once more what it could not
 * record. The stack's output ReplayDeadLettersCommand has the whole command. Ends with 1 where something is left.
 *
 * Acts with the caller's own AWS credentials: it lists, reads and deletes in the bucket, and invokes the function.
 */
import { InvokeCommand, LambdaClient } from "@aws-sdk/client-lambda";
import { DeleteObjectCommand, GetObjectCommand, paginateListObjectsV2, S3Client } from "@aws-sdk/client-s3";
import { type Consume, type DeadLetters, replay } from "../lib/dead-letter-replay.ts";

const [bucket, functionName, ...rest] = process.argv.slice(2);
if (bucket === undefined || functionName === undefined || rest.length > 0) {
  console.error(
    "usage: npm run replay-dead-letters -- <bucket> <function>\nThe stack's output ReplayDeadLettersCommand has both.",
  );
  process.exit(2);
}

const s3 = new S3Client({ forcePathStyle: process.env["AWS_ENDPOINT_URL"] !== undefined });
const lambda = new LambdaClient({ maxAttempts: 3 });

const letters: DeadLetters = {
  async *names() {
    for await (const { Contents: objects } of paginateListObjectsV2({ client: s3 }, { Bucket: bucket }))
      for (const { Key: key } of objects ?? []) if (key !== undefined) yield key;
  },
  async read(key) {
    const { Body: body } = await s3.send(new GetObjectCommand({ Bucket: bucket, Key: key }));
    return (await body?.transformToString()) ?? "";
  },
  async remove(key) {
    await s3.send(new DeleteObjectCommand({ Bucket: bucket, Key: key }));
  },
};

const consume: Consume = async (event) => {
  const { FunctionError: failed, Payload: payload } = await lambda.send(
    new InvokeCommand({ FunctionName: functionName, Payload: JSON.stringify(event) }),
  );
  const text = Buffer.from(payload ?? []).toString();
  if (failed !== undefined) throw new Error(`the function failed (${failed}): ${text.slice(0, 300)}`);
  return JSON.parse(text);
};

const { recorded, left } = await replay(letters, consume, (line) => console.log(line));
if (recorded === 0 && left.length === 0) console.log(`${bucket} holds no dead letters`);
else console.log(`${recorded} recorded, ${left.length} left`);
if (left.length > 0) process.exitCode = 1;
