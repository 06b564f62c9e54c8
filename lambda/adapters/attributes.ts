import type { AttributeValue } from "@aws-sdk/client-dynamodb";

/**
 * DynamoDB's JSON of an item, and plain values. Texts, numbers, truth, null, lists and maps are all that our items hold; bytes
 * and sets are refused, since nothing here writes them.
 */
export type Item = Record<string, AttributeValue>;

/** An item as plain values. `number`: what becomes of a number's text, which may hold more digits than a float. */
export function plainOf(item: Item, number: (text: string) => unknown): Record<string, unknown> {
  const plain: Record<string, unknown> = {};
  for (const name in item) set(plain, name, plainValue(item[name], number));
  return plain;
}

/** One attribute as a plain value, like `plainOf`. */
export function plainValue(value: AttributeValue | undefined, number: (text: string) => unknown): unknown {
  if (value?.S !== undefined) return value.S;
  if (value?.N !== undefined) return number(value.N);
  if (value?.M !== undefined) return plainOf(value.M, number);
  if (value?.L !== undefined) return value.L.map((each) => plainValue(each, number));
  if (value?.BOOL !== undefined) return value.BOOL;
  if (value?.NULL !== undefined) return null;
  throw new TypeError(`an item has an attribute of type ${Object.keys(value ?? {}).join()}`);
}

/** Plain values as an item; what is undefined is left out, in lists too. Throws on what no item of ours holds. */
export function itemOf(values: Readonly<Record<string, unknown>>): Item {
  const item: Item = {};
  for (const [name, value] of Object.entries(values))
    if (value !== undefined) set(item, name, attributeOf(value));
  return item;
}

function attributeOf(value: unknown): AttributeValue {
  if (value === null) return { NULL: true };
  switch (typeof value) {
    case "string":
      return { S: value };
    case "bigint":
      return { N: value.toString() };
    case "number":
      // A greater one is a float that stands for many whole numbers.
      if (Math.abs(value) > Number.MAX_SAFE_INTEGER || Number.isNaN(value))
        throw new RangeError(`the number ${value} cannot be stored as it is`);
      return { N: value.toString() };
    case "boolean":
      return { BOOL: value };
    case "object":
      if (Array.isArray(value)) return { L: value.filter((each) => each !== undefined).map(attributeOf) };
      if (isPlain(value)) return { M: itemOf(value) };
  }
  throw new TypeError(`a value of type ${typeof value} cannot be stored`);
}

const isPlain = (value: object): value is Record<string, unknown> => {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
};

/** Also `__proto__` is a name like any other. */
function set<T>(into: Record<string, T>, name: string, value: T): void {
  if (name !== "__proto__") into[name] = value;
  else Object.defineProperty(into, name, { value, enumerable: true, configurable: true, writable: true });
}
