import { describe, expect, test } from "vitest";
import { keyIssued, rowOf } from "../../lambda/domain/audit-event.ts";
import { auditAnswer, formatOf, isTooLong } from "../../lambda/http/audit-answer.ts";
import { parseAuditRequest } from "../../lambda/http/audit-params.ts";
import { ISSUED_AT_MS, policyNamed } from "../support/audit-events.ts";

/** Guarantees what an export is: read by a spreadsheet without running anything, and of a size that Lambda hands over. */

const OF = { withEvents: false, nextCursor: null, requestId: "req" };
const rowsWith = (labels: readonly string[]) => ({
  rows: labels.map((label, at) => rowOf([keyIssued(policyNamed(`key_${at}`, label))])),
  next: null,
});
const textOf = ({ body, isBase64Encoded }: ReturnType<typeof auditAnswer>): string =>
  isBase64Encoded ? Buffer.from(body, "base64").toString() : body;
const csvOf = (label: string): string => {
  const [, row = ""] = textOf(auditAnswer(rowsWith([label]), { ...OF, format: "csv" })).split("\r\n");
  return row;
};

describe("a cell of CSV", () => {
  test.each([
    ["=1+1", "'=1+1"],
    ["+1", "'+1"],
    ["-1", "'-1"],
    ["@SUM(A1)", "'@SUM(A1)"],
    ["  =1+1", "'  =1+1"],
    ["\u00a0=1+1", "'\u00a0=1+1"],
    ["\ufeff=1+1", "'\ufeff=1+1"],
    ["＝1+1", "'＝1+1"],
    ["＋1", "'＋1"],
    ["－1", "'－1"],
    ["＠x", "'＠x"],
    ["\tx", `"'\tx"`],
    ["\rx", `"'\rx"`],
    ["\nx", `"'\nx"`],
    ['=HYPERLINK("https://evil.example","x")', `"'=HYPERLINK(""https://evil.example"",""x"")"`],
    ["a;=1+1", '"a;=1+1"'],
    ['x"\r\n=1+1', '"x""\r\n=1+1"'],
    ["plain/label", "plain/label"],
    ["a=b", "a=b"],
  ])("with %j is %j: no spreadsheet runs it", (label, cell) => {
    const [, row = ""] = textOf(auditAnswer(rowsWith([label]), { ...OF, format: "csv" })).split(/\r\n(.*)/s);
    expect(row).toContain(`,${cell},`);
  });
});

test("every page of CSV has the same columns, whatever its rows are", () => {
  const namesOf = (labels: readonly string[]) =>
    textOf(auditAnswer(rowsWith(labels), { ...OF, format: "csv" })).split("\r\n")[0];
  expect(namesOf(["a"])).toBe(namesOf(["b", "c"]));
  expect(csvOf("a").split(",").length).toBe((namesOf(["a"]) ?? "").split(",").length);
});

test.each([
  ["text/csv", "csv"],
  ["text/csv, */*;q=0.1", "csv"],
  ["application/x-ndjson", "ndjson"],
  ["application/json", "json"],
  ["*/*", "json"],
  ["", "json"],
  ["text/csvx", "json"],
])("Accept: %s asks for %s", (accept, format) => {
  expect(formatOf(accept)).toBe(format);
});

test.each([
  ["json", 1_000, false],
  ["csv", 1_000, false],
  ["csv", 12_000, true],
  ["ndjson", 12_000, true],
] as const)("as %s %i rows are too long: %s", (format, count, isLong) => {
  const answer = auditAnswer(rowsWith(Array(count).fill("x".repeat(200))), { ...OF, format });
  expect(isTooLong(answer)).toBe(isLong);
});

describe("a page", () => {
  const limitOf = (query: Readonly<Record<string, string>>, isExport: boolean): number | string => {
    const asked = Object.fromEntries(Object.entries(query).map(([name, value]) => [name, [value]]));
    try {
      return parseAuditRequest(asked, ["stripe"], { nowMs: ISSUED_AT_MS, isExport }).query.limit;
    } catch (error) {
      return (error as Error).message;
    }
  };

  test.each([
    [{}, true, 50],
    [{ limit: "1000" }, true, 1_000],
    [{ limit: "1001" }, true, 'limit: got "1001"; expected a whole number from 1 to 1000'],
    [{ limit: "101" }, false, 'limit: got "101"; expected a whole number from 1 to 100'],
    [{ limit: "101", events: "true" }, true, 'limit: got "101"; expected a whole number from 1 to 100'],
    [{ limit: "0" }, true, 'limit: got "0"; expected a whole number from 1 to 1000'],
    [{ limit: "1e3" }, true, 'limit: got "1e3"; expected a whole number from 1 to 1000'],
  ])("of %j as an export (%s) has so many rows: %s", (query, isExport, limit) => {
    expect(limitOf(query, isExport)).toBe(limit);
  });
});
