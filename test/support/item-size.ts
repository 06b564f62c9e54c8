import type { AttributeValue } from "@aws-sdk/client-dynamodb";

/** Sizes in bytes as DynamoDB counts them ("DynamoDB item sizes and formats", documentation of DynamoDB, read 2026-11-28). */

/** Of an attribute: its name and its value. */
export const attributeSize = (name: string, value: AttributeValue): number =>
  Buffer.byteLength(name) + valueSize(value);

function valueSize(value: AttributeValue): number {
  if (value.S !== undefined) return Buffer.byteLength(value.S);
  if (value.N !== undefined) return Math.ceil(value.N.replace(/^-|\./g, "").length / 2) + 1;
  if (value.L !== undefined) return 3 + value.L.reduce((sum, each) => sum + 1 + valueSize(each), 0);
  if (value.M !== undefined)
    return 3 + Object.entries(value.M).reduce((sum, [name, each]) => sum + 1 + attributeSize(name, each), 0);
  return 1;
}

export const itemSize = (item: Readonly<Record<string, AttributeValue>>): number =>
  Object.entries(item).reduce((sum, [name, value]) => sum + attributeSize(name, value), 0);
