import type { DynamoDBRecord } from "aws-lambda";
import { expect, test } from "vitest";
import { consumedOf, refusalIn } from "../../local/decisions.ts";

/** Guarantees that refusals without an audit row become lines too. */

const exchange = (status: number, body: unknown, headers: readonly (readonly [string, string])[] = []) => ({
  atMs: 5,
  method: "POST",
  path: "/stripe/v1/charges",
  authorization: undefined,
  answer: { status, headers, body: Buffer.from(typeof body === "string" ? body : JSON.stringify(body)) },
});

test.each([
  ["of our own API", { error: { code: "key_unknown" } }, [], "DENIED 401 key_unknown"],
  ["of a vendor's shape", { code: 20003 }, [["Keybrake-Code", "key_unknown"]], "DENIED 401 key_unknown"],
  ["that is not JSON", "<html>", [], "DENIED 401"],
  ["that is not an object", "null", [], "DENIED 401"],
] as const)("a refusal %s that is on no row is told with its code", (_, body, headers, outcome) => {
  expect(refusalIn(exchange(401, body, headers))).toEqual({
    atMs: 5,
    method: "POST",
    path: "/stripe/v1/charges",
    keyId: null,
    label: null,
    outcome,
    tone: "refused",
  });
});

test("a success, and what a row tells, is not told by the gateway", () => {
  expect(refusalIn(exchange(200, {}))).toBeNull();
  expect(refusalIn(exchange(402, {}, [["Keybrake-Call-Id", "call_1"]]))).toBeNull();
});

const record = (SequenceNumber: string): DynamoDBRecord => ({ dynamodb: { SequenceNumber } });
const RECORDS = [record("1"), record("2"), record("3")];

test.each([
  [{ batchItemFailures: [] }, 3],
  [undefined, 3],
  [{ batchItemFailures: [{ itemIdentifier: "3" }, { itemIdentifier: "2" }] }, 1],
  [{ batchItemFailures: [{ itemIdentifier: "1" }] }, 0],
  [{ batchItemFailures: [{ itemIdentifier: "9" }] }, 0],
])("of an answer %j so many records are consumed: %i", (answer, count) => {
  expect(consumedOf(RECORDS, answer)).toEqual(RECORDS.slice(0, count));
});
