import { describe, expect, test } from "vitest";
import { type AuditQuery, queryAudit } from "../../../lambda/app/audit/query-audit.ts";
import { ADMIN, type Caller } from "../../../lambda/app/keys/caller.ts";
import type { AuditRow } from "../../../lambda/domain/audit-event.ts";
import { UNCAPPED } from "../../../lambda/domain/balance.ts";
import { isoTime } from "../../../lambda/domain/time.ts";
import type { AuditIndex, AuditIndexPart, AuditReader, WantedRows } from "../../../lambda/ports/audit.ts";

/** Guarantees that a query of the audit log finds each row once, by whichever index it is read. */

const DAY_MS = 86_400_000;
const NOON = Date.parse("2026-11-22T12:00:00Z");

interface Stored {
  readonly position: string;
  readonly atMs: number;
  readonly row: AuditRow;
}

const stored = (
  atMs: number,
  n: number,
  vendor: string,
  label: string,
  decision: "allowed" | "denied" = "allowed",
  overrun?: boolean,
): Stored => ({
  position: `${isoTime(atMs)}#call_${n}#att_${n}`,
  atMs,
  row: {
    subject: `call_${n}`,
    attemptId: `att_${n}`,
    state: decision === "denied" ? "denied" : "settled",
    fields: {
      atMs,
      type: "call",
      keyId: `key_${vendor}`,
      parentIds: [],
      issuerId: "admin",
      vendor,
      credential: "default",
      label,
      labelGroup: label.split("/")[0] ?? label,
      metadata: {},
      decision,
      ...(overrun === undefined ? {} : { overrun }),
    },
    events: [],
  },
});

const SHARDS = [0, 1, 2];

/** Pages as the table gives them: by one index, newest first, at most `limit` rows. */
class MemoryReader implements AuditReader {
  reads = 0;
  completed = 0;
  readonly #rows: readonly Stored[];
  constructor(rows: readonly Stored[]) {
    this.#rows = [...rows].sort((a, b) => (a.position < b.position ? 1 : -1));
  }
  partsOf(index: AuditIndex) {
    return SHARDS.map((shard) => ({ ...index, shard }));
  }

  /** Of rows that say what an index holds: here all of it. */
  async whole(rows: readonly AuditRow[]) {
    this.completed += rows.length;
    return rows;
  }

  async page({ part, fromMs, toMs, before, limit }: WantedRows) {
    this.reads += 1;
    const found = this.#rows.filter(
      ({ position, atMs, row }) =>
        inIndex(part, row) && atMs >= fromMs && atMs < toMs && (before === null || position < before),
    );
    const rows = found.slice(0, limit);
    return { rows, next: found.length > limit ? (rows.at(-1)?.position ?? null) : null };
  }
}

function inIndex(index: AuditIndexPart, { subject, attemptId, fields }: AuditRow): boolean {
  if (Number(attemptId?.slice(4)) % SHARDS.length !== index.shard) return false;
  if (index.kind === "call") return subject === index.callId;
  if (index.kind === "key") return fields.keyId === index.keyId;
  if (index.kind === "label") return fields.label === index.label;
  if (index.kind === "label_group") return fields.labelGroup === index.group;
  return fields.vendor === index.vendor;
}

const all: AuditQuery = {
  vendor: null,
  fromMs: NOON - 10 * DAY_MS,
  toMs: NOON + 1,
  label: null,
  keyId: null,
  callId: null,
  state: null,
  decision: null,
  overrun: null,
  limit: 3,
  before: null,
};

async function walk(query: AuditQuery, reader: AuditReader): Promise<string[]> {
  const seen: string[] = [];
  let before: string | null = null;
  for (let pages = 0; pages < 500; pages++) {
    const { rows, next } = await queryAudit(
      { ...query, before },
      { vendors: ["stripe", "twilio"], caller: ADMIN },
      reader,
    );
    expect(rows.length).toBeLessThanOrEqual(query.limit);
    seen.push(...rows.map(({ subject }) => subject));
    if (next === null) return seen;
    before = next;
  }
  throw new Error("the list does not end");
}

const rows = Array.from({ length: 40 }, (_, n) =>
  stored(
    NOON - Math.floor(n / 2) * (DAY_MS / 5),
    n,
    n % 3 === 0 ? "twilio" : "stripe",
    n % 4 === 0 ? "modal/cus_1" : `modal/cus_${n}`,
    n % 5 === 0 ? "denied" : "allowed",
    [undefined, false, true][n % 3],
  ),
);
const newestFirst = (kept: readonly Stored[]) =>
  [...kept].sort((a, b) => (a.position < b.position ? 1 : -1)).map(({ row }) => row.subject);

describe("walking through all pages shows each row once, newest first", () => {
  test.each([1, 2, 3, 7, 100])("over all vendors and days, %i rows a page", async (limit) => {
    expect(await walk({ ...all, limit }, new MemoryReader(rows))).toEqual(newestFirst(rows));
  });

  test.each<[string, Partial<AuditQuery>, (each: Stored) => boolean]>([
    ["of one vendor", { vendor: "twilio" }, ({ row }) => row.fields.vendor === "twilio"],
    ["of one key", { keyId: "key_stripe" }, ({ row }) => row.fields.vendor === "stripe"],
    ["of one call", { callId: "call_7" }, ({ row }) => row.subject === "call_7"],
    [
      "of one label",
      { label: { kind: "exact", text: "modal/cus_1" } },
      ({ row }) => row.fields.label === "modal/cus_1",
    ],
    [
      "of labels that begin alike in one group",
      { label: { kind: "prefix", text: "modal/cus_1" } },
      ({ row }) => row.fields.label?.startsWith("modal/cus_1") ?? false,
    ],
    ["of labels that begin alike before any group", { label: { kind: "prefix", text: "mod" } }, () => true],
    ["that were denied", { decision: "denied" }, ({ row }) => row.fields.decision === "denied"],
    ["that cost more than was reserved", { overrun: true }, ({ row }) => row.fields.overrun === true],
    ["that did not", { overrun: false }, ({ row }) => row.fields.overrun !== true],
    ["in a state", { state: "settled" }, ({ row }) => row.state === "settled"],
    ["of a key and a vendor that it is not of", { keyId: "key_stripe", vendor: "twilio" }, () => false],
  ])("%s", async (_, change, kept) => {
    expect(await walk({ ...all, ...change }, new MemoryReader(rows))).toEqual(newestFirst(rows.filter(kept)));
  });
});

test("`from` is included and `to` is not", async () => {
  const query = { ...all, fromMs: NOON - DAY_MS / 5, toMs: NOON, limit: 100 };
  expect(await walk(query, new MemoryReader(rows))).toEqual(["call_3", "call_2"]);
});

test.each([
  ["ends where it begins", NOON, NOON],
  ["ends before it begins", NOON, NOON - 1],
  ["ends before all time", 0, Date.parse("1027-03-20")],
])("a range that %s has nothing, and nothing is read", async (_, fromMs, toMs) => {
  const reader = new MemoryReader(rows);
  expect(await walk({ ...all, fromMs, toMs, keyId: "key_stripe" }, reader)).toEqual([]);
  expect(reader.reads).toBe(0);
});

test("one request reads a bounded number of pages, and says where to go on", async () => {
  const many = Array.from({ length: 20_000 }, (_, n) => stored(NOON - n, n, "stripe", "x"));
  const reader = new MemoryReader([...many, stored(NOON - 20_000, 20_000, "stripe", "x", "denied")]);
  const query: AuditQuery = { ...all, fromMs: 0, decision: "denied" };

  const first = await queryAudit(query, { vendors: ["stripe", "twilio"], caller: ADMIN }, reader);
  expect(first.rows).toEqual([]);
  expect(first.next).not.toBeNull();
  expect(reader.reads).toBeLessThanOrEqual(406);
  expect(await walk(query, reader)).toEqual(["call_20000"]);
});

test("only rows that are shown are read whole", async () => {
  const reader = new MemoryReader(rows);
  const { rows: shown } = await queryAudit(
    { ...all, state: "denied", limit: 3 },
    { vendors: ["stripe", "twilio"], caller: ADMIN },
    reader,
  );

  expect(shown).toHaveLength(3);
  expect(reader.completed).toBe(3);
});

const NO_CAPS = { daily: UNCAPPED, total: UNCAPPED, perCall: UNCAPPED };
const limitedTo = (vendor: string): Caller => ({
  id: "ak_1",
  apiKey: {
    apiKeyId: "ak_1",
    name: "a test",
    secretHash: "",
    scopes: ["read"],
    vendors: [vendor],
    credentials: null,
    ceilings: { caps: NO_CAPS, endpoints: null, expiresInS: null },
    caps: NO_CAPS,
    issuerId: "admin",
    above: [],
    issuedAtMs: 0,
  },
});

test.each<[string, Partial<AuditQuery>]>([
  ["of all vendors", {}],
  ["of a group that has keys of several vendors", { label: { kind: "prefix", text: "modal/" } }],
  ["of another vendor", { vendor: "twilio" }],
])(
  "an API key of one vendor learns nothing of others' rows %s, not by a cursor either",
  async (_, change) => {
    const hidden = newestFirst(rows.filter(({ row }) => row.fields.vendor !== "stripe"));
    const seen: string[] = [];
    for (let before: string | null = null, isEnd = false; !isEnd; ) {
      const answer = await queryAudit(
        { ...all, ...change, before },
        { vendors: ["stripe", "twilio"], caller: limitedTo("stripe") },
        new MemoryReader(rows),
      );
      for (const name of hidden) expect(answer.next ?? "").not.toContain(`#${name}#`);
      seen.push(...answer.rows.map(({ subject }) => subject));
      before = answer.next;
      isEnd = before === null;
    }
    const visible = newestFirst(rows.filter(({ row }) => row.fields.vendor === "stripe"));
    expect(seen).toEqual(change.vendor === "twilio" ? [] : visible);
  },
);
