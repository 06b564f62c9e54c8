import type {
  AttributeValue as SdkAttributeValue,
  _Record as StreamRecord,
} from "@aws-sdk/client-dynamodb-streams";
import type { AttributeValue, DynamoDBRecord } from "aws-lambda";

/** What the SDK does not know of a record: the stream it came from, and the TTL attribute of its table. */
export interface RecordOrigin {
  readonly streamArn: string;
  readonly ttlAttribute: string;
}

/**
 * A stream's record as Lambda hands it to a function: times in epoch seconds, binary as base64, names of the identity in
 * lower case.
 *
 * A removal after the item's TTL was the sweep's, for nothing else deletes an expired item; it gets the identity that
 * DynamoDB gives to its own ("Working with streams and TTL", docs of DynamoDB, read 2026-11-22), which a local engine does not.
 */
export function lambdaRecord(record: StreamRecord, origin: RecordOrigin): DynamoDBRecord {
  const { dynamodb } = record;
  const createdS =
    dynamodb?.ApproximateCreationDateTime && dynamodb.ApproximateCreationDateTime.getTime() / 1000;
  const userIdentity = identityOf(record, origin.ttlAttribute, createdS);
  return {
    eventID: record.eventID,
    eventName: record.eventName,
    eventVersion: record.eventVersion,
    eventSource: "aws:dynamodb",
    awsRegion: record.awsRegion,
    dynamodb: {
      ...(createdS !== undefined && { ApproximateCreationDateTime: createdS }),
      ...(dynamodb?.Keys && { Keys: item(dynamodb.Keys) }),
      ...(dynamodb?.NewImage && { NewImage: item(dynamodb.NewImage) }),
      ...(dynamodb?.OldImage && { OldImage: item(dynamodb.OldImage) }),
      SequenceNumber: dynamodb?.SequenceNumber,
      SizeBytes: dynamodb?.SizeBytes,
      StreamViewType: dynamodb?.StreamViewType,
    },
    eventSourceARN: origin.streamArn,
    ...(userIdentity && { userIdentity }),
  };
}

function identityOf(record: StreamRecord, ttlAttribute: string, createdS: number | undefined) {
  if (record.userIdentity !== undefined) {
    return { type: record.userIdentity.Type, principalId: record.userIdentity.PrincipalId };
  }
  const ttlS = record.dynamodb?.OldImage?.[ttlAttribute]?.N;
  const isSwept = record.eventName === "REMOVE" && ttlS !== undefined && Number(ttlS) < (createdS ?? 0);
  return isSwept ? { type: "Service", principalId: "dynamodb.amazonaws.com" } : undefined;
}

function item(image: Readonly<Record<string, SdkAttributeValue>>): Record<string, AttributeValue> {
  return Object.fromEntries(Object.entries(image).map(([name, value]) => [name, attributeValue(value)]));
}

function attributeValue(value: SdkAttributeValue): AttributeValue {
  if (value.B !== undefined) return { B: Buffer.from(value.B).toString("base64") };
  if (value.BS !== undefined) return { BS: value.BS.map((bytes) => Buffer.from(bytes).toString("base64")) };
  if (value.L !== undefined) return { L: value.L.map(attributeValue) };
  if (value.M !== undefined) return { M: item(value.M) };
  if (value.$unknown !== undefined)
    throw new Error(`a stream's record has an attribute of type ${value.$unknown[0]}`);
  return value;
}
