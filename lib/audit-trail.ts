import { Duration, RemovalPolicy, Stack, Validations } from "aws-cdk-lib";
import type { TableV2 } from "aws-cdk-lib/aws-dynamodb";
import type { IKey } from "aws-cdk-lib/aws-kms";
import { EventSourceMapping, MetricType, StartingPosition } from "aws-cdk-lib/aws-lambda";
import { BlockPublicAccess, Bucket, BucketEncryption } from "aws-cdk-lib/aws-s3";
import { Construct } from "constructs";
import { ENV } from "../lambda/environment.ts";
import { RESOLVE_AFTER_S, STREAM_READING } from "./limits.ts";
import { ServiceFunction } from "./service-function.ts";
import { allowTableKey, tableOf } from "./table.ts";
import { AUDIT_TABLE } from "./table-schemas.ts";
import type { VaultTable } from "./vault-table.ts";

export interface AuditTrailProps {
  readonly key: IKey | undefined;
  readonly vault: VaultTable;
  readonly retentionDays: number;
  readonly bundles: string;
}

/**
 * The audit log: the table of events, the one function that writes it from the stream of the Vault table, and the bucket
 * for what that function could not write. The table and the bucket outlive the stack.
 */
export class AuditTrail extends Construct {
  readonly table: TableV2;
  readonly consumer: ServiceFunction;
  readonly mapping: EventSourceMapping;
  readonly deadLetters: Bucket;

  constructor(scope: Construct, id: string, { vault, retentionDays, bundles, key }: AuditTrailProps) {
    super(scope, id);
    this.table = tableOf(this, "LogTable", AUDIT_TABLE, key);
    this.consumer = new ServiceFunction(this, "Consumer", {
      name: "record-audit",
      bundles,
      kmsKeyArn: key?.keyArn,
    });
    this.consumer.allow(["dynamodb:PutItem", "dynamodb:UpdateItem"], [this.table.tableArn]);
    // It could delete, too: so the evidence alone.
    this.consumer.allow(["dynamodb:BatchWriteItem"], [this.table.tableArn], {
      "ForAllValues:StringLike": { "dynamodb:LeadingKeys": ["SEEN#*"] },
    });
    // Its own journal, how far that is swept, and what was announced.
    this.consumer.allow(["dynamodb:GetItem", "dynamodb:Query"], [this.table.tableArn], {
      "ForAllValues:StringLike": {
        "dynamodb:LeadingKeys": [
          "JOURNAL#*",
          "SWEPT",
          "ANNOUNCED#*",
          "UNSENT",
          // For the event spend.rate.
          "NAMES#label_group#*",
          "TOTAL#label_group#*",
        ],
      },
    });
    this.consumer.setEnvironment(ENV.auditTable, this.table.tableName);
    this.consumer.setEnvironment(ENV.auditRetentionDays, `${retentionDays}`);
    this.consumer.setEnvironment(ENV.resolveAfterS, `${RESOLVE_AFTER_S}`);
    vault.grantReadKeys(this.consumer);
    vault.grantPutDue(this.consumer);

    this.deadLetters = new Bucket(this, "DeadLetters", {
      blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
      ...(key === undefined
        ? { encryption: BucketEncryption.S3_MANAGED }
        : { encryption: BucketEncryption.KMS, encryptionKey: key, bucketKeyEnabled: true }),
      enforceSSL: true,
      // A letter that was replayed is deleted; for a month it can be brought back.
      versioned: true,
      lifecycleRules: [{ noncurrentVersionExpiration: Duration.days(30), expiredObjectDeleteMarker: true }],
      removalPolicy: RemovalPolicy.RETAIN,
    });
    Validations.of(this.deadLetters).acknowledge({
      id: "AwsSolutions::AwsSolutions-S1",
      reason:
        "access logs would need a second bucket that outlives the stack; CloudTrail data events tell the same to whoever wants it",
    });
    this.mapping = this.#readStreamOf(vault);
  }

  /** Sums of what a key spent, and no event. */
  grantReadTotals(service: ServiceFunction): void {
    service.allow(["dynamodb:Query"], [this.table.tableArn], {
      "ForAllValues:StringLike": { "dynamodb:LeadingKeys": ["TOTAL#key#*"] },
    });
    allowTableKey(service);
    service.setEnvironment(ENV.auditTable, this.table.tableName);
  }

  /** Every sum, and the names of those that there are; no event. */
  grantReadSums(service: ServiceFunction): void {
    service.allow(["dynamodb:Query"], [this.table.tableArn], {
      "ForAllValues:StringLike": { "dynamodb:LeadingKeys": ["TOTAL#*", "NAMES#*"] },
    });
    allowTableKey(service);
    service.setEnvironment(ENV.auditTable, this.table.tableName);
  }

  /** The rows of a vendor's calls. */
  grantReadByVendor(service: ServiceFunction): void {
    service.allow(["dynamodb:Query"], [`${this.table.tableArn}/index/by_vendor`]);
    service.allow(["dynamodb:BatchGetItem"], [this.table.tableArn]);
    allowTableKey(service);
    service.setEnvironment(ENV.auditTable, this.table.tableName);
  }

  /** The rows, by each of the indexes. */
  grantQuery(service: ServiceFunction): void {
    const indexes = AUDIT_TABLE.indexes.map(({ name }) => `${this.table.tableArn}/index/${name}`);
    service.allow(["dynamodb:Query"], [this.table.tableArn, ...indexes]);
    service.allow(["dynamodb:BatchGetItem"], [this.table.tableArn]);
    allowTableKey(service);
    service.setEnvironment(ENV.auditTable, this.table.tableName);
  }

  /** Attempts that began and did not end. */
  grantReadJournal(service: ServiceFunction): void {
    service.allow(["dynamodb:GetItem", "dynamodb:Query"], [this.table.tableArn], {
      "ForAllValues:StringLike": { "dynamodb:LeadingKeys": ["JOURNAL#*"] },
    });
  }

  /** Which writes of balances landed. */
  grantReadEvidence(service: ServiceFunction): void {
    service.allow(["dynamodb:Query"], [this.table.tableArn], {
      "ForAllValues:StringLike": { "dynamodb:LeadingKeys": ["SEEN#*"] },
    });
    allowTableKey(service);
    service.setEnvironment(ENV.auditTable, this.table.tableName);
  }

  /**
   * Stream to consumer. What cannot be recorded goes whole to the bucket: only S3 keeps the record itself ("Retain
   * discarded records", documentation of Lambda, read 2026-11-22).
   */
  #readStreamOf({ table }: VaultTable): EventSourceMapping {
    const streamArn = table.tableStreamArn;
    if (streamArn === undefined) throw new Error("the Vault table has no stream");
    this.consumer.allow(
      ["dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator"],
      [streamArn],
    );
    // ListStreams knows no resources: it is allowed for all streams or for none.
    this.consumer.allow(["dynamodb:ListStreams"], ["*"]);
    // The bucket outlives the stack: should it be deleted one day, whoever takes its name gets no letters.
    const inThisAccount = { StringEquals: { "s3:ResourceAccount": Stack.of(this).account } };
    this.consumer.allow(["s3:ListBucket"], [this.deadLetters.bucketArn], inThisAccount);
    this.consumer.allow(["s3:PutObject"], [this.deadLetters.arnForObjects("*")], inThisAccount);
    this.consumer.allowKey(["s3"], ["Decrypt", "GenerateDataKey"]);
    const bucketId = Stack.of(this).resolve(this.deadLetters.bucketArn)["Fn::GetAtt"][0];
    Validations.of(this.consumer).acknowledge(
      {
        id: "AwsSolutions::AwsSolutions-IAM5[Resource::*]",
        reason: "dynamodb:ListStreams knows no resources, and Lambda asks for it before it reads a stream",
      },
      {
        id: `AwsSolutions::AwsSolutions-IAM5[Resource::<${bucketId}.Arn>/*]`,
        reason: "Lambda chooses the names of dead letters; the consumer may put objects into this one bucket",
      },
    );
    return new EventSourceMapping(this, "Stream", {
      target: this.consumer.lambda,
      eventSourceArn: streamArn,
      startingPosition: StartingPosition.TRIM_HORIZON,
      batchSize: STREAM_READING.batchMax,
      maxBatchingWindow: Duration.seconds(STREAM_READING.windowS),
      bisectBatchOnError: true,
      reportBatchItemFailures: true,
      retryAttempts: STREAM_READING.retriesMax,
      maxRecordAge: Duration.hours(STREAM_READING.ageMaxH),
      parallelizationFactor: 2,
      onFailure: { bind: () => ({ destination: this.deadLetters.bucketArn }) },
      metricsConfig: { metrics: [MetricType.EVENT_COUNT] },
    });
  }
}
