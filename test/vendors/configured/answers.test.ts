import { describe, expect, test } from "vitest";
import { type Asked, definitionWith, exampleOf, reading, vendorOf } from "./harness.ts";

const images = vendorOf(exampleOf("images"));
const letters = vendorOf(exampleOf("letters"));
const lookup = vendorOf(exampleOf("lookup"));

const IMAGE: Asked = { path: "/v1/images", body: JSON.stringify({ n: 2 }) };
const LETTER: Asked = { path: "/letters", body: JSON.stringify({ to: "ann" }) };
const COMPANY: Asked = { method: "GET", path: "/v2/companies/example", type: null };

/** Guarantees that only a status by which a server says that it did not begin gives budget back. */
describe("the status of an answer", () => {
  test.each([200, 201, 202, 204, 206])("%i was executed, at the price", (status) => {
    expect(reading(images, IMAGE, status, '{"id": "img_1"}')).toMatchObject({
      kind: "executed",
      price: 80_000n,
      objectId: "img_1",
    });
  });

  test.each([400, 401, 402, 403, 405, 411, 413, 414, 415, 417, 422, 426, 428, 429, 431])(
    "%i cost nothing",
    (status) => {
      expect(reading(images, IMAGE, status, "{}")).toMatchObject({ kind: "refused", price: 0n });
    },
  );

  test.each([
    100, 301, 302, 303, 304, 307, 308, 404, 406, 408, 409, 410, 412, 423, 424, 425, 451, 499, 500, 502, 503,
    504, 529, 999,
  ])("%i does not tell, so its budget stays held", (status) => {
    expect(reading(images, IMAGE, status, "{}").kind).toBe("unknown");
  });

  test("what the definition says of a status goes before", () => {
    expect(reading(lookup, COMPANY, 404, "{}").kind).toBe("refused");
    const billed = vendorOf(definitionWith({ "POST /things": { price: 1, charged_on: [404, 422] } }));
    expect(reading(billed, { body: "{}" }, 404, "{}")).toMatchObject({ kind: "executed", price: 1_000_000n });
    expect(reading(billed, { body: "{}" }, 422, "{}")).toMatchObject({ kind: "executed", price: 1_000_000n });
  });
});

/** Guarantees that an amount in an answer is exact and never rounded down, and that one that cannot be read costs its bound. */
describe("an amount in the answer", () => {
  const BOUND = 5_000_000n;
  test.each<readonly [string, string, bigint]>([
    ["a number", '{"cost": {"amount": 1.05}}', 1_050_000n],
    ["a text", '{"cost": {"amount": "1.05"}}', 1_050_000n],
    ["a whole number", '{"cost": {"amount": 2}}', 2_000_000n],
    ["nothing", '{"cost": {"amount": 0}}', 0n],
    ["a float's noise", '{"cost": {"amount": 0.30000000000000004}}', 300_001n],
    ["an exponent", '{"cost": {"amount": 1.5e-05}}', 15n],
    ["less than a millionth", '{"cost": {"amount": 1e-9}}', 1n],
    ["above the bound", '{"cost": {"amount": 7.5}}', 7_500_000n],
    ["below zero", '{"cost": {"amount": -1}}', BOUND],
    ["more than any amount", '{"cost": {"amount": 1e30}}', BOUND],
    ["a currency beside it", '{"cost": {"amount": "$1.05"}}', BOUND],
    ["null", '{"cost": {"amount": null}}', BOUND],
    ["a list", '{"cost": {"amount": [1]}}', BOUND],
    ["no field", '{"cost": {}}', BOUND],
    ["another case", '{"cost": {"Amount": 1}}', BOUND],
    ["the field twice", '{"cost": {"amount": 1, "amount": 4}}', BOUND],
    ["no JSON", "<html>", BOUND],
    ["no body", "", BOUND],
    ["a list around it", '[{"cost": {"amount": 1}}]', BOUND],
  ])("%s", (_, body, cost) => {
    expect(reading(letters, LETTER, 200, body)).toMatchObject({ kind: "executed", price: cost });
  });

  test("in cents, in a place of a list", () => {
    const vendor = vendorOf(
      definitionWith({
        "POST /things": { price: { answer: { field: "data.1.price", unit: "cents", max_usd: 1 } } },
      }),
    );
    const told = (body: string) => reading(vendor, { body: "{}" }, 200, body);

    expect(told('{"data": [{"price": 9}, {"price": 12.345}]}')).toMatchObject({
      price: 123_450n,
      amountText: "12.345",
      currency: "usd",
    });
    expect(told('{"data": [{"price": 9}]}').price).toBe(1_000_000n);
  });
});

test.each<readonly [string, string | null]>([
  ['{"id": "img_1"}', "img_1"],
  ['{"id": 12345678901234567890}', "12345678901234567890"],
  ['{"id": 1.5}', null],
  ['{"id": "two words"}', null],
  ['{"id": ""}', null],
  ['{"id": {"id": "x"}}', null],
  ["{}", null],
  ["no JSON", null],
])("the object of %s is %s", (body, id) => {
  expect(reading(images, IMAGE, 200, body).objectId).toBe(id);
});
