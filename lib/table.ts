import { RemovalPolicy } from "aws-cdk-lib";
import {
  type Attribute,
  AttributeType,
  Billing,
  ProjectionType,
  StreamViewType,
  TableV2,
} from "aws-cdk-lib/aws-dynamodb";
import type { Construct } from "constructs";
import type { TableSchema } from "./table-schemas.ts";

const string = (name: string): Attribute => ({ name, type: AttributeType.STRING });

/**
 * A table of lib/table-schemas.ts: on demand, with point-in-time recovery, protected from deletion, and left standing
 * when its stack goes. Its name is CloudFormation's to choose, so that two stacks stand in one account.
 */
export function tableOf(scope: Construct, id: string, schema: TableSchema): TableV2 {
  return new TableV2(scope, id, {
    partitionKey: string(schema.partitionKey),
    sortKey: string(schema.sortKey),
    billing: Billing.onDemand(),
    timeToLiveAttribute: schema.ttlAttribute,
    pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true },
    deletionProtection: true,
    removalPolicy: RemovalPolicy.RETAIN,
    ...(schema.stream && { dynamoStream: StreamViewType.NEW_AND_OLD_IMAGES }),
    globalSecondaryIndexes: schema.indexes.map(({ name, partitionKey, sortKey, keysOnly }) => ({
      indexName: name,
      partitionKey: string(partitionKey),
      sortKey: string(sortKey),
      ...(keysOnly === true && { projectionType: ProjectionType.KEYS_ONLY }),
    })),
  });
}
