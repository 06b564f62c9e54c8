import { describe, expect, test } from "vitest";
import { pageText, rowsIn } from "../../dashboard/audit/export.ts";
import { factsOf, textOf } from "../../dashboard/audit/facts.ts";
import { askedFor, localOf, sinceHours, utcOf } from "../../dashboard/audit/filters.ts";
import { linksOfObject, linksOfRequest } from "../../dashboard/audit/links.ts";
import { daysText, totalsAsked } from "../../dashboard/audit/totals-asked.ts";
import { allSums, type Sum } from "../../dashboard/spend/all-sums.ts";
import { VENDOR_PAGES, vendorRegistry } from "../../lambda/vendors/index.ts";

/** Guarantees what the page asks the audit log for, and what it makes of the answers. */

const NOW = Date.UTC(2026, 10, 28, 14, 3, 22);

describe("filters", () => {
  test("are those that the API knows; others of an address are left out", () => {
    expect(askedFor({ vendor: "stripe", state: "denied", new: "1", cursor: "x" })).toEqual({
      vendor: "stripe",
      state: "denied",
    });
  });

  const NEW_YORK = () => -5 * 3_600_000;
  test.each([
    ["2026-11-28T14:00:00Z", "2026-11-28T09:00"],
    ["2026-11-28T02:30:00+00:00", "2026-11-27T21:30"],
    ["2026-11-28", "2026-11-27T19:00"],
    [undefined, ""],
    ["yesterday", ""],
  ])("a time %j of an address is %j in New York", (time, local) => {
    expect(localOf(time, NEW_YORK)).toBe(local);
  });

  test.each([
    ["2026-11-28T09:00", "2026-11-28T14:00Z"],
    ["2026-11-27T21:30", "2026-11-28T02:30Z"],
    ["", ""],
  ])("%j in New York is %j in a link", (local, time) => {
    expect(utcOf(local, NEW_YORK)).toBe(time);
  });

  test("go back whole minutes, so that a link stays short", () => {
    expect(sinceHours(1, NOW)).toBe("2026-11-28T13:03Z");
    expect(sinceHours(24, NOW)).toBe("2026-11-27T14:03Z");
  });
});

describe("the sums of what is asked for", () => {
  const DAYS = { from: "2026-10-30", to: "2026-11-29" };
  test.each([
    ["of nothing are not kept", {}, null],
    [
      "of a label",
      { agent_run_label: "m/1" },
      { group_by: "agent_run_label", agent_run_label: "m/1", ...DAYS },
    ],
    [
      "of the beginning of labels",
      { agent_run_label: "m/*" },
      { group_by: "agent_run_label", agent_run_label: "m/*", ...DAYS },
    ],
    ["of a key", { key_id: "key_1" }, { group_by: "day", key_id: "key_1", ...DAYS }],
    ["of a vendor", { vendor: "stripe" }, { group_by: "day", vendor: "stripe", ...DAYS }],
    ["of a label at one vendor are not kept", { agent_run_label: "m/1", vendor: "stripe" }, null],
    ["of one state are not kept", { agent_run_label: "m/1", state: "denied" }, null],
    ["of one call are not kept", { agent_run_label: "m/1", call_id: "call_1" }, null],
    [
      "of an hour are those of its day",
      { agent_run_label: "m/1", from: "2026-11-28T13:00Z" },
      { group_by: "agent_run_label", agent_run_label: "m/1", from: "2026-11-28", to: "2026-11-29" },
    ],
    [
      "of a year are those of its last 93 days",
      { key_id: "key_1", from: "2025-11-28" },
      { group_by: "day", key_id: "key_1", from: "2026-08-28", to: "2026-11-29" },
    ],
    ["of a time to come are none", { key_id: "key_1", from: "2026-12-28" }, null],
  ])("%s", (_, asked, expected) => {
    expect(totalsAsked(asked, NOW)).toEqual(expected);
  });

  test("say the days that they are of", () => {
    expect(daysText("2026-10-30", "2026-11-29")).toBe("30 Oct – 28 Nov");
    expect(daysText("2026-11-28", "2026-11-29")).toBe("28 Nov");
  });
});

describe("sums of many labels", () => {
  /** So many pages of 100 labels with $1.10 and a denied call each. */
  const pages = (count: number, total: Sum | null) => async (cursor: string | null) => {
    const at = Number(cursor ?? "1");
    const row = { group: `run/${at}`, spent_usd: 1.1, allowed_calls: 2, denied_calls: 1 };
    return {
      data: Array.from({ length: 100 }, () => row),
      total,
      next_cursor: at < count ? `${at + 1}` : null,
    };
  };

  test.each([
    [1, 100, true],
    [3, 300, true],
    [10, 1000, true],
    [11, 1000, false],
  ])("of %i pages are added up to %i rows; whole: %s", async (count, rows, isWhole) => {
    const all = await allSums(pages(count, null));
    expect([all.rows.length, all.isWhole]).toEqual([rows, isWhole]);
    expect(all.total).toEqual({
      spent_usd: (rows * 11) / 10,
      allowed_calls: 2 * rows,
      denied_calls: rows,
    });
  });

  test("where a total is kept, it counts", async () => {
    const total = { spent_usd: 5000, allowed_calls: 9, denied_calls: 0 };
    expect(await allSums(pages(11, total))).toMatchObject({ total, isWhole: true, isAll: false });
    expect(await allSums(pages(10, total))).toMatchObject({ total, isWhole: true, isAll: true });
  });
});

describe("an export", () => {
  const CSV = 'id,path\r\n1,"two\nlines, ""quoted"""\r\n2,plain\r\n';

  test.each([
    ["csv", CSV, 2],
    ["csv", "id,path\r\n", 0],
    ["csv", "", 0],
    ["ndjson", '{"id":1}\n{"id":2}\n', 2],
    ["ndjson", "", 0],
  ] as const)("as %s of %j has %d rows", (format, text, rows) => {
    expect(rowsIn(text, format)).toBe(rows);
  });

  test("as CSV has the names of the columns once", () => {
    expect(pageText(CSV, "csv", true)).toBe(CSV);
    expect(pageText(CSV, "csv", false)).toBe('1,"two\nlines, ""quoted"""\r\n2,plain\r\n');
    expect(pageText('{"id":1}\n', "ndjson", false)).toBe('{"id":1}\n');
  });
});

describe("what a row says", () => {
  test.each([
    ["cost_usd", 0.0079, "$0.0079"],
    ["daily_usd_cap", 50, "$50.00"],
    ["vendor_status", 200, "200"],
    ["overrun", false, "false"],
    ["metadata", { a: "1", b: "2" }, "a: 1, b: 2"],
    ["metadata", {}, ""],
    ["parent_ids", ["key_1", "key_2"], "key_1, key_2"],
    ["parent_ids", [], ""],
    ["reason", null, ""],
  ])("as %s is read: %j", (name, value, text) => {
    expect(textOf(name, value)).toBe(text);
  });

  test("is all but what it does not say", () => {
    expect(factsOf({ id: "x", events: [], vendor: "stripe", reason: null, cost_usd: 1 })).toEqual([
      ["vendor", "stripe"],
      ["cost_usd", "$1.00"],
    ]);
  });
});

describe("links to the vendor", () => {
  const PAGE = {
    objects: [
      { begins: "", live: "https://v.example/find?q={id}", test: "https://v.example/test/find?q={id}" },
      { begins: "pay_", live: "https://v.example/pay/{id}", test: null },
    ],
    request: {
      begins: "req_",
      live: "https://v.example/logs/{id}",
      test: "https://v.example/test/logs/{id}",
    },
  };

  test("are of the longest beginning", () => {
    expect(linksOfObject(PAGE, "pay_1")).toEqual([
      { name: "at the vendor", href: "https://v.example/pay/pay_1" },
    ]);
  });

  test("are for live and for test where there are two, with the id escaped", () => {
    expect(linksOfObject(PAGE, "a&b")).toEqual([
      { name: "live", href: "https://v.example/find?q=a%26b" },
      { name: "test", href: "https://v.example/test/find?q=a%26b" },
    ]);
  });

  test("of a request are where the vendor has one", () => {
    expect(linksOfRequest(PAGE, "req_1").map(({ href }) => href)).toEqual([
      "https://v.example/logs/req_1",
      "https://v.example/test/logs/req_1",
    ]);
    expect(linksOfRequest(PAGE, "8f-abc")).toEqual([]);
    expect(linksOfRequest({ request: null }, "req_1")).toEqual([]);
    expect(linksOfObject(null, "pay_1")).toEqual([]);
  });

  test.each(vendorRegistry().all.map((vendor) => [vendor.name, VENDOR_PAGES[vendor.name]] as const))(
    "of %s lead to https and to nowhere else",
    (_, page) => {
      const links = [...(page?.objects ?? []), ...(page?.request ? [page.request] : [])];
      expect(links.length).toBeGreaterThan(0);
      for (const address of links.flatMap(({ live, test: other }) => [
        live,
        ...(other === null ? [] : [other]),
      ]))
        expect(address).toMatch(/^https:\/\/[a-z.]+\/[^{}]*\{id\}$/);
    },
  );
});
