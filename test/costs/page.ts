import { ALL_SHARDS } from "../../lambda/adapters/shards.ts";
import { ASSUMED } from "./assumptions.ts";
import { callLines, idleLines, keptLines, type Line, totalOf } from "./costs.ts";
import { type Deployment, deploymentOf } from "./deployment.ts";
import type { Measured, Use } from "./measured.ts";

/** The parts of docs/limits.md that are computed, by the name between their marks. */
export type Parts = Readonly<Record<"month" | "idle" | "uses" | "paid" | "kept" | "speed", string>>;

const NAMES: readonly (readonly [Use, string])[] = [
  ["paid", "paid calls with an idempotency key; one vault key for the run"],
  ["paidWithoutKey", "paid calls without an idempotency key"],
  ["ownKey", "paid calls with a vault key for each: issue, pay, revoke"],
  ["alone", "paid calls that come one at a time, a second apart or more"],
  ["givesBack", "declined payments; their budget is given back"],
  ["lookup", "calls with a lookup, such as a confirmation"],
  ["free", "free calls (`GET`)"],
  ["denied", "denied calls"],
  ["latePrice", "messages of Twilio with their late price"],
];

const usd = (amount: number): string => `$${amount.toFixed(2)}`;
/** What is cheaper than a cent rounds to nothing, and is not free. */
const usdOf = (amount: number): string => (amount > 0 && amount < 0.005 ? "under $0.01" : usd(amount));

/** The computed parts of the page, for these figures and the template of the product. */
export function partsOf(measured: Measured): Parts {
  const standard = deploymentOf();
  const ofOneVendor = deploymentOf({ credentials: { stripe: ["default"] } });
  return {
    month: monthTable(measured, standard),
    idle: idleTable(measured, [
      ["Stripe alone", ofOneVendor, 0],
      ["all three vendors, the default", standard, 0],
      ["the default, where the account has no other alarms", standard, FREE_ALARMS],
      ['the default with `alarms: "all"`', deploymentOf({ alarms: "all" }), 0],
    ]),
    uses: table(
      ["a million", "at the time", `kept ${standard.retentionDays} days`],
      NAMES.map(([use, name]) => [
        name,
        usd(totalOf(callLines(use, measured, standard))),
        usd(totalOf(keptLines(use, measured, standard))),
      ]),
    ),
    paid: lineTable(["a paid call", "how much", "for a million"], callLines("paid", measured, standard)),
    kept: lineTable(
      ["kept of a paid call", "how much", "for a million"],
      keptLines("paid", measured, standard),
    ),
    speed: speedTable(measured, standard),
  };
}

/** Metrics of alarms that each account has free ("Amazon CloudWatch pricing", read 2026-11-28). */
export const FREE_ALARMS = 10;

/** Units a second that DynamoDB lets through: a table's quota, a new table, one partition key (its documentation, read 2026-11-28). */
const WRITES = { quota: 40_000, newTable: 4_000, partition: 1_000 } as const;
/** Calls a second of `npm run bench`: 20 processes of the consumer, 20 ms a write. */
const CONSUMER = { callsPerSecond: 3_000, lanes: 20 } as const;
const LAMBDA_QUOTA = 1_000;

function speedTable({ units }: Measured, { functions }: Deployment): string {
  const { ledgerWrites, auditWrites } = units.paid;
  const seconds = ASSUMED.vendorS + ASSUMED.ownS;
  const rounded = (calls: number) => `${(Math.floor(calls / 10) * 10).toLocaleString("en-US")}`;
  return table(
    ["part", "calls a second", "what decides"],
    [
      [
        "one vault key",
        "500 to 1,000",
        "its balance is one item: 1,000 writes a second, one or two for a call",
      ],
      [
        "new tables",
        rounded(WRITES.newTable / ledgerWrites),
        `${WRITES.newTable.toLocaleString("en-US")} write units a second; twice the last peak from then on`,
      ],
      [
        "the ledger",
        rounded(WRITES.quota / ledgerWrites),
        "40,000 write units a second for a table, a quota",
      ],
      [
        "the audit log",
        rounded(WRITES.quota / auditWrites),
        "the same quota for its table; behind it waits, and loses nothing",
      ],
      [
        "one vendor, label or group",
        rounded(WRITES.partition * ALL_SHARDS.length),
        `its index has ${ALL_SHARDS.length} partitions of 1,000 writes a second`,
      ],
      [
        "the consumer",
        rounded(CONSUMER.callsPerSecond),
        `measured with ${CONSUMER.lanes} processes at once: two for each shard of the stream`,
      ],
      [
        "executions of Lambda",
        rounded(LAMBDA_QUOTA / seconds),
        `1,000 at once, ${seconds} seconds each, ${functions["proxy-call"].memoryMb} MB`,
      ],
      ["one vendor's route", "500", "the throttle of the configuration"],
      ["the gateway", "10,000", "the account's quota; 2,500 in some regions"],
    ],
  );
}

/** Months like this one in a row: what is kept then costs each month what a month's calls cost to keep in all. */
function monthTable(measured: Measured, deployment: Deployment): string {
  const ofOne = (use: Use) =>
    (totalOf(callLines(use, measured, deployment)) + totalOf(keptLines(use, measured, deployment))) /
    1_000_000;
  const idle = totalOf(idleLines(measured, deployment));
  return table(
    ["paid calls a month", "one at a time", "in wide runs", "with a vault key for each"],
    [0, 1_000, 10_000, 100_000, 1_000_000].map((calls) => [
      calls.toLocaleString("en-US"),
      usd(idle + calls * ofOne("alone")),
      usd(idle + calls * ofOne("paid")),
      usd(idle + calls * ofOne("ownKey")),
    ]),
  );
}

const lineTable = (head: Row, lines: readonly Line[]): string =>
  table(head, [
    ...lines.map(({ what, detail, usd: amount }): Row => [what, detail, usdOf(amount)]),
    ["in all", "", usd(totalOf(lines))],
  ]);

function idleTable(
  measured: Measured,
  deployments: readonly (readonly [name: string, Deployment, freeAlarms: number])[],
): string {
  const rows = deployments.map(([name, deployment, freeAlarms]): Row => {
    const lines = idleLines(measured, deployment, { freeAlarms });
    const cells = lines.map(({ detail, usd: amount }) => `${detail.split(":")[0]}: ${usdOf(amount)}`);
    return [name, ...cells, usd(totalOf(lines))];
  });
  return table(["a month", "secrets", "alarms", "schedules", "in all"], rows);
}

type Row = readonly string[];

/** A table whose columns stand below one another in the source too. What holds numbers alone stands to the right. */
export function table(head: Row, rows: readonly Row[]): string {
  const widths = head.map((name, column) =>
    Math.max(3, ...[name, ...rows.map((row) => row[column] ?? "")].map(({ length }) => length)),
  );
  const isNumbers = head.map((_, column) =>
    rows.every((row) => /^(under )?\$?[\d.,]+$/.test(row[column] ?? "")),
  );
  const line = (cells: Row) =>
    `| ${cells.map((cell, at) => (isNumbers[at] ? cell.padStart(widths[at] ?? 0) : cell.padEnd(widths[at] ?? 0))).join(" | ")} |`;
  const rule = widths.map((width, at) => (isNumbers[at] ? `${"-".repeat(width - 1)}:` : "-".repeat(width)));
  return [line(head), line(rule), ...rows.map(line)].join("\n");
}

const block = (name: string) =>
  new RegExp(`(<!-- computed: ${name}, by npm run costs -->\n)[\\s\\S]*?(<!-- end -->)`);

/** The page with its computed parts put in. Throws where it has no place for one. */
export function pageWith(page: string, parts: Parts): string {
  return Object.entries(parts).reduce((text, [name, part]) => {
    if (!block(name).test(text)) throw new Error(`docs/limits.md has no place for the part ${name}`);
    return text.replace(block(name), (_, start: string, end: string) => `${start}\n${part}\n\n${end}`);
  }, page);
}
