import { Duration, Validations } from "aws-cdk-lib";
import { EventSourceMapping, FilterCriteria, StartingPosition } from "aws-cdk-lib/aws-lambda";
import { Construct } from "constructs";
import { STOPS_FILTER, STREAM_READING } from "./limits.ts";
import type { ServiceFunction } from "./service-function.ts";
import type { VaultTable } from "./vault-table.ts";

export interface StopsStreamProps {
  readonly vault: VaultTable;
  /** Who revokes the keys of stops. */
  readonly service: ServiceFunction;
}

/**
 * Runs the function that revokes the keys of stops as soon as the stops change. It is the second reader of the Vault
 * table's stream, and a stream takes no more than two (docs/decisions/0042-stops.md).
 *
 * Nothing in a record matters but that it is there. What fails is tried again for an hour and then dropped: the schedule of
 * the function does the same work.
 */
export class StopsStream extends Construct {
  constructor(scope: Construct, id: string, { vault: { table }, service }: StopsStreamProps) {
    super(scope, id);
    const streamArn = table.tableStreamArn;
    if (streamArn === undefined) throw new Error("the Vault table has no stream");
    service.allow(
      ["dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator"],
      [streamArn],
    );
    // ListStreams knows no resources: it is allowed for all streams or for none.
    service.allow(["dynamodb:ListStreams"], ["*"]);
    Validations.of(service).acknowledge({
      id: "AwsSolutions::AwsSolutions-IAM5[Resource::*]",
      reason: "dynamodb:ListStreams knows no resources, and Lambda asks for it before it reads a stream",
    });
    const mapping = new EventSourceMapping(this, "Mapping", {
      target: service.lambda,
      eventSourceArn: streamArn,
      startingPosition: StartingPosition.LATEST,
      batchSize: 100,
      retryAttempts: STREAM_READING.retriesMax,
      maxRecordAge: RECORD_AGE_MAX,
      filters: [FilterCriteria.filter(STOPS_FILTER)],
    });
    Validations.of(mapping).acknowledge({
      id: "Serverless::Serverless-LambdaEventSourceMappingDestination",
      reason:
        "a record says only that the stops changed: the schedule does the same work, and an alarm tells of failures",
    });
  }
}

/** By then the schedule has come by several times. */
const RECORD_AGE_MAX = Duration.hours(1);
