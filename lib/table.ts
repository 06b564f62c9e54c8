import { RemovalPolicy } from "aws-cdk-lib";
import {
  type Attribute,
  AttributeType,
  Billing,
  type CfnGlobalTable,
  ProjectionType,
  StreamViewType,
  TableV2,
} from "aws-cdk-lib/aws-dynamodb";
import type { IKey } from "aws-cdk-lib/aws-kms";
import type { Construct } from "constructs";
import type { ServiceFunction } from "./service-function.ts";
import type { TableSchema } from "./table-schemas.ts";

const string = (name: string): Attribute => ({ name, type: AttributeType.STRING });

/**
 * A table of lib/table-schemas.ts: on demand, with point-in-time recovery, protected from deletion, and left standing
 * when its stack goes. Its name is CloudFormation's to choose, so that two stacks stand in one account.
 */
export function tableOf(scope: Construct, id: string, schema: TableSchema, key: IKey | undefined): TableV2 {
  const table = new TableV2(scope, id, {
    partitionKey: string(schema.partitionKey),
    sortKey: string(schema.sortKey),
    billing: Billing.onDemand(),
    timeToLiveAttribute: schema.ttlAttribute,
    pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true },
    deletionProtection: true,
    removalPolicy: RemovalPolicy.RETAIN,
    ...(schema.stream && { dynamoStream: StreamViewType.NEW_AND_OLD_IMAGES }),
    globalSecondaryIndexes: schema.indexes.map(({ name, partitionKey, sortKey, holds }) => ({
      indexName: name,
      partitionKey: string(partitionKey),
      sortKey: string(sortKey),
      ...(holds.length === 0
        ? { projectionType: ProjectionType.KEYS_ONLY }
        : { projectionType: ProjectionType.INCLUDE, nonKeyAttributes: [...holds] }),
    })),
  });
  if (key !== undefined) {
    // TableEncryptionV2 wants a stack that names its region, since there is a key for each replica. Ours has one.
    const resource = table.node.defaultChild as CfnGlobalTable;
    resource.addPropertyOverride("SSESpecification", { SSEEnabled: true, SSEType: "KMS" });
    resource.addPropertyOverride("Replicas.0.SSESpecification", { KMSMasterKeyId: key.keyArn });
  }
  return table;
}

/** What DynamoDB asks of the customer's key in the name of whoever reads or writes ("DynamoDB encryption at rest", read 2026-11-27). */
export const allowTableKey = (service: ServiceFunction): void =>
  service.allowKey(
    ["dynamodb"],
    ["Decrypt", "DescribeKey", "Encrypt", "GenerateDataKey", "ReEncryptFrom", "ReEncryptTo"],
  );
