import { describe, expect, test } from "vitest";
import { type Column, fieldLines, tableLines } from "../../cli/output/table.ts";
import { displayWidth, plain, shortened } from "../../cli/output/width.ts";
import { counted, dollars, fromNow, span } from "../../cli/output/words.ts";

/** Guarantees that what people read fits their terminal, in any language, and moves no cursor. */

test.each([
  ["modal/cus_A", 11],
  ["Grüße", 5],
  ["e\u0301", 1],
  ["予算", 4],
  ["한국", 4],
  ["ﾊﾝｶｸ", 8],
  ["🛑 stop", 7],
  ["👩‍👩‍👧", 2],
  ["", 0],
])("%s is %s cells wide", (text, cells) => {
  expect(displayWidth(text)).toBe(cells);
});

test.each([
  ["modal-billing", 13, "modal-billing"],
  ["modal-billing", 12, "modal-billi…"],
  ["予算予算", 5, "予算…"],
  ["予算予算", 4, "予…"],
  ["👩‍👩‍👧👩‍👩‍👧", 3, "👩‍👩‍👧…"],
  ["abc", 1, "…"],
  ["abc", 0, ""],
])("%s in %s cells is %s", (text, cells, expected) => {
  expect(shortened(text, cells)).toBe(expected);
});

test("nothing that moves a cursor or turns a text is shown", () => {
  expect(plain("a\u001b[2Jb\u202ec\nd\u2028e👩‍👧")).toBe("a?[2Jb?c?d?e👩‍👧");
});

describe("a table", () => {
  interface Key {
    readonly id: string;
    readonly label: string;
    readonly left: string;
  }
  const COLUMNS: readonly Column<Key>[] = [
    { title: "ID", cell: ({ id }) => id },
    { title: "LABEL", cell: ({ label }) => label, widthMin: 6, spare: 2 },
    { title: "LEFT", cell: ({ left }) => left, align: "right", spare: 1 },
  ];
  const ROWS: readonly Key[] = [
    { id: "key_1", label: "modal-billing/2026", left: "$9.00" },
    { id: "key_22", label: "予算/二〇二六", left: "$1,234.50" },
  ];
  const lines = (width: number) => tableLines(COLUMNS, ROWS, { width, paint: (_, text) => text });

  test.each([
    [
      Number.POSITIVE_INFINITY,
      [
        "ID      LABEL                    LEFT",
        "key_1   modal-billing/2026      $9.00",
        "key_22  予算/二〇二六       $1,234.50",
      ],
    ],
    [
      30,
      ["ID      LABEL             LEFT", "key_1   modal-bill…      $9.00", "key_22  予算/二〇…   $1,234.50"],
    ],
    [24, ["ID           LEFT", "key_1       $9.00", "key_22  $1,234.50"]],
    [10, ["ID", "key_1", "key_22"]],
    [4, ["ID", "key…", "key…"]],
  ])("of %s cells", (width, expected) => {
    expect(lines(width)).toEqual(expected);
  });

  test("is never wider than the terminal", () => {
    for (let width = 1; width < 60; width++)
      for (const line of lines(width)) expect(displayWidth(line), `${width}`).toBeLessThanOrEqual(width);
  });

  test("has its colours outside of what is counted", () => {
    const painted = tableLines([{ title: "ID", cell: ({ id }) => id, tone: () => "bad" }], ROWS, {
      width: 10,
      paint: (tone, text) => `<${tone}>${text}</${tone}>`,
    });

    expect(painted).toEqual(["<title>ID    </title>", "<bad>key_1 </bad>", "<bad>key_22</bad>"]);
  });
});

test("fields stand below each other, whole", () => {
  const fields = [["id", "key_1"] as const, ["base URL", "http://127.0.0.1:8787/prod"] as const];

  expect(fieldLines(fields, (_, text) => text)).toEqual([
    "id        key_1",
    "base URL  http://127.0.0.1:8787/prod",
  ]);
});

test.each([
  [0, "$0.00"],
  [50, "$50.00"],
  [0.0083, "$0.0083"],
  [1234.5, "$1,234.50"],
  [-0.5, "-$0.50"],
  [null, "-"],
])("%s dollars are %s", (value, expected) => {
  expect(dollars(value)).toBe(expected);
});

test.each([
  [0.9, "0s"],
  [59, "59s"],
  [3599, "59m"],
  [3600, "1h"],
  [86_400 * 12 + 5, "12d"],
])("%s seconds are %s", (seconds, expected) => {
  expect(span(seconds)).toBe(expected);
});

test("times are told from now", () => {
  const nowMs = Date.parse("2026-11-22T10:00:00Z");

  expect(fromNow({ at: "2026-11-22T10:59:30.000+00:00" }, "at", nowMs)).toBe("in 59m");
  expect(fromNow({ at: "2026-11-22T07:00:00.000+00:00" }, "at", nowMs)).toBe("3h ago");
  expect(fromNow({ at: null }, "at", nowMs)).toBe("-");
  expect([counted(1, "key"), counted(2000, "key")]).toEqual(["1 key", "2,000 keys"]);
});
