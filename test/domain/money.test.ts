import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { dollars, microUsd, parseUsd, usdNumber, usdText } from "../../lambda/domain/money.ts";

/** Guarantees that amounts are read and written exactly. */

describe("money that a caller writes", () => {
  test.each([
    [50, 50_000_000n],
    [29.99, 29_990_000n],
    ["29.99", 29_990_000n],
    ["0.000001", 1n],
    [0, 0n],
    [1e-6, 1n],
    [1_000_000_000, 1_000_000_000_000_000n],
  ])("%s is read as whole micro-dollars", (value, micros) => {
    expect(parseUsd(value)).toBe(micros);
  });

  test.each([
    [0.1 + 0.2, 300_000n],
    [0.3 - 0.1, 200_000n],
    [1.1 * 3, 3_300_000n],
    [0.0000015, 1n],
    [2.9999999, 2_999_999n],
  ])("the noise of the float %s is rounded away, and what is left rounds down", (value, micros) => {
    expect(parseUsd(value)).toBe(micros);
  });

  test.each([
    "1.0000001",
    "1e3",
    "+5",
    "-5",
    " 5",
    "5 ",
    "",
    "0x10",
    "1,000",
    "１",
    -1,
    Number.NaN,
    Number.POSITIVE_INFINITY,
    1e21,
    1_000_000_001,
  ])("%s is refused, and the refusal says what would be accepted", (value) => {
    expect(parseUsd(value)).toMatchObject({ refused: expect.stringContaining("expected ") });
  });

  test("whatever is printed is read back as the same amount", () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 10n ** 15n }), (micros) => {
        expect(parseUsd(usdText(microUsd(micros)))).toBe(micros);
        expect(parseUsd(usdNumber(microUsd(micros)))).toBe(micros);
      }),
    );
  });
});

test.each([
  [29_990_000n, "$29.99"],
  [900n, "$0.0009"],
  [5_000_000n, "$5.00"],
  [-5_500_000n, "-$5.50"],
])("%s micro-dollars are shown to a person as %s", (micros, text) => {
  expect(dollars(microUsd(micros))).toBe(text);
});
