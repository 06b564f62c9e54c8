import { DescribeTableCommand, type DynamoDBClient } from "@aws-sdk/client-dynamodb";
import {
  DescribeStreamCommand,
  DynamoDBStreamsClient,
  GetRecordsCommand,
  GetShardIteratorCommand,
  type GetShardIteratorCommandInput,
  type Shard,
} from "@aws-sdk/client-dynamodb-streams";
import type { DynamoDBRecord } from "aws-lambda";
import { standIn } from "./stand-in.ts";
import { lambdaRecord } from "./stream-event.ts";
import type { NamedTable } from "./tables.ts";

/** What one read brought. */
export interface ShardPage {
  readonly records: readonly DynamoDBRecord[];
  /** Where the next read begins; undefined at the end of a closed shard. */
  readonly next: string | undefined;
}

/** A table's stream, with its records in the shape that Lambda gives them. */
export interface TableStream {
  readonly arn: string;
  /** Parents before children. */
  shards(): AsyncIterable<Shard>;
  /** Iterator behind a sequence number, or at the oldest record. */
  iteratorAt(shardId: string, after: string | undefined): Promise<string | undefined>;
  read(iterator: string | undefined, limit: number): Promise<ShardPage>;
  /** The record with this number; undefined when the engine refuses or answers nothing. */
  recordAt(shardId: string, sequenceNumber: string): Promise<DynamoDBRecord | undefined>;
  close(): void;
}

/** Opens the stream of a table; throws when it has none. */
export async function openTableStream(
  client: DynamoDBClient,
  endpoint: string,
  table: NamedTable,
): Promise<TableStream> {
  const { Table: described } = await client.send(new DescribeTableCommand({ TableName: table.name }));
  const arn = described?.LatestStreamArn;
  if (arn === undefined) throw new Error(`table ${table.name} has no stream`);

  const streams = new DynamoDBStreamsClient(standIn(endpoint));
  const origin = { streamArn: arn, ttlAttribute: table.schema.ttlAttribute };

  const iterator = async (
    shardId: string,
    where: Pick<GetShardIteratorCommandInput, "ShardIteratorType" | "SequenceNumber">,
  ) => {
    const answer = await streams.send(
      new GetShardIteratorCommand({ StreamArn: arn, ShardId: shardId, ...where }),
    );
    return answer.ShardIterator;
  };
  const read = async (from: string | undefined, limit: number): Promise<ShardPage> => {
    const answer = await streams.send(new GetRecordsCommand({ ShardIterator: from, Limit: limit }));
    const records = (answer.Records ?? []).map((record) => lambdaRecord(record, origin));
    return { records, next: answer.NextShardIterator };
  };

  return {
    arn,
    shards: () => shardsOf(streams, arn),
    read,
    iteratorAt: (shardId, after) =>
      after === undefined
        ? iterator(shardId, { ShardIteratorType: "TRIM_HORIZON" })
        : iterator(shardId, { ShardIteratorType: "AFTER_SEQUENCE_NUMBER", SequenceNumber: after }),
    recordAt: async (shardId, sequenceNumber) => {
      try {
        const at = { ShardIteratorType: "AT_SEQUENCE_NUMBER", SequenceNumber: sequenceNumber } as const;
        const { records } = await read(await iterator(shardId, at), 1);
        return records[0];
      } catch {
        return undefined;
      }
    },
    close: () => streams.destroy(),
  };
}

async function* shardsOf(streams: DynamoDBStreamsClient, streamArn: string): AsyncGenerator<Shard> {
  let after: string | undefined;
  do {
    const { StreamDescription: page } = await streams.send(
      new DescribeStreamCommand({ StreamArn: streamArn, ExclusiveStartShardId: after }),
    );
    yield* page?.Shards ?? [];
    after = page?.LastEvaluatedShardId;
  } while (after !== undefined);
}
