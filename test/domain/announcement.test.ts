import { describe, expect, test } from "vitest";
import { outgoingEvent } from "../../lambda/announcement-wire.ts";
import {
  type Announcement,
  announcementsOf,
  capReached,
  rateExceeded,
} from "../../lambda/domain/announcement.ts";
import type { AuditEvent, EventName } from "../../lambda/domain/audit-event.ts";
import type { AuditFields } from "../../lambda/domain/audit-fields.ts";
import { fromUsdCents, microUsd } from "../../lambda/domain/money.ts";
import { vendorRegistry } from "../../lambda/vendors/index.ts";
import { ISSUED_AT_MS, policyNamed, toldCall } from "../support/audit-events.ts";

/** Guarantees which rows are told outside, in which words, and that none repeats a secret. */

const { redact } = vendorRegistry().secrets;
const detailOf = (announcement: Announcement | undefined): Record<string, unknown> => {
  if (announcement === undefined) throw new Error("nothing is announced");
  return JSON.parse(outgoingEvent(announcement, { baseUrl: "https://h/prod", redact }).detail);
};

const { settled } = toldCall(policyNamed("key_1", "billing/1"), 1, 300_000n, ISSUED_AT_MS);
const eventOf = (
  event: string,
  fields: Partial<AuditFields> = {},
  more: Partial<AuditEvent> = {},
): AuditEvent => ({
  ...settled,
  // Of rows that are not of calls too.
  event: event as EventName,
  fields: { ...settled.fields, ...fields },
  ...more,
});
const told = (event: AuditEvent) => announcementsOf(event).map(({ type }) => type);

test.each<[string, Partial<AuditFields>, string[]]>([
  ["open", {}, []],
  ["reserved", {}, []],
  ["settled", {}, []],
  ["settled", { overrun: true }, ["call.overrun"]],
  ["late_price", { overrun: true }, ["call.overrun"]],
  ["released", {}, []],
  ["denied", {}, []],
  ["free", {}, []],
  ["unresolved", {}, ["call.unresolved"]],
  ["key.issued", {}, []],
  ["key.changed", {}, []],
  ["key.revoked", {}, ["key.revoked"]],
  ["api_key.revoked", {}, []],
  ["run.stopped", {}, ["run.stopped"]],
  ["run.resumed", {}, []],
])("%s with %j announces %j", (event, fields, expected) => {
  expect(told(eventOf(event, fields))).toEqual(expected);
});

test("an outcome and its late price are announcements of their own, the same one always has the same id", () => {
  const idOf = (event: string) => announcementsOf(eventOf(event, { overrun: true }))[0]?.id;
  expect(idOf("settled")).not.toBe(idOf("late_price"));
  expect(idOf("settled")).toBe(idOf("settled"));
});

test("a call without a known outcome says what stays held", () => {
  const [announcement] = announcementsOf(
    eventOf("unresolved", { reserved: fromUsdCents(2_000n), reason: "no_answer", vendorStatus: null }),
  );
  expect(detailOf(announcement)).toMatchObject({
    call_id: "call_1",
    method: "POST",
    path: "/v1/payment_intents",
    reserved_usd: 20,
    reason: "no_answer",
    vendor_status: null,
    text: "a call of key key_1 (billing/1) has no known outcome: POST /v1/payment_intents at stripe; $20.00 stays held; once you know it, close the call: keybrake resolve call_1 --charged (or --not-charged)",
    list_command: `curl -sS 'https://h/prod/vault/audit?state=unresolved' -H "Authorization: Bearer $KEYBRAKE_API_KEY"`,
    resolve_command: `curl -sS -X POST 'https://h/prod/vault/calls/call_1/resolve' -H "Authorization: Bearer $KEYBRAKE_API_KEY" -H 'Content-Type: application/json' -d '{"charged":true}'`,
  });
});

test("an overrun says what it cost and what was reserved", () => {
  const fields = { overrun: true, reserved: fromUsdCents(20n), cost: fromUsdCents(30n) };
  expect(detailOf(announcementsOf(eventOf("settled", fields))[0])).toMatchObject({
    reserved_usd: 0.2,
    cost_usd: 0.3,
    text: "a call of key key_1 (billing/1) cost $0.30, more than the $0.20 that were reserved: POST /v1/payment_intents at stripe",
  });
});

test.each([
  ["admin", "key key_1 (billing/1) was revoked by admin"],
  ["key_1", "key key_1 (billing/1) was revoked by itself"],
])("a revocation by %s says who it was", (by, text) => {
  const [announcement] = announcementsOf(
    eventOf("key.revoked", { by }, { subject: "key_1", attemptId: null }),
  );
  expect(detailOf(announcement)).toMatchObject({ by, text });
});

test.each([
  [
    { agent_run_label: "billing/*" },
    { agent_run_label: "billing/*" },
    "billing/* was stopped by admin: a bug",
  ],
  [{ vendor: "stripe", until: "later" }, { vendor: "stripe" }, "vendor stripe was stopped by admin: a bug"],
  [{ all: "true" }, { all: true }, "every vault key was stopped by admin: a bug"],
])("a stop for %j says so, and its command orders the same", (metadata, body, text) => {
  const fields = { keyId: "stop_1", label: null, labelGroup: null, by: "admin", reason: "a bug", metadata };
  const [announcement] = announcementsOf(
    eventOf("run.stopped", fields, { subject: "stop_1", attemptId: null }),
  );
  const detail = detailOf(announcement);
  expect(detail).toMatchObject({ stop_id: "stop_1", key_id: null, text });
  expect(detail["stop_command"]).toContain(`-d '${JSON.stringify(body)}'`);
});

test("a dear minute says the run, and its command stops all of it", () => {
  const announcement = rateExceeded({
    group: "billing",
    label: "billing/*",
    minuteMs: ISSUED_AT_MS,
    spent: fromUsdCents(13_000n),
    calls: 26,
    allowed: fromUsdCents(10_000n),
  });
  expect(detailOf(announcement)).toMatchObject({
    type: "spend.rate",
    key_id: null,
    label_group: "billing",
    spent_usd: 130,
    calls: 26,
    threshold_usd_per_minute: 100,
    stop_command: expect.stringContaining('{"agent_run_label":"billing/*"}'),
  });
  const later = rateExceeded({ ...DEAR, minuteMs: ISSUED_AT_MS + 60_000 });
  expect([later.once, later.id]).toEqual([true, rateExceeded(DEAR).id]);
  expect(rateExceeded({ ...DEAR, minuteMs: ISSUED_AT_MS + 3_600_000 }).id).not.toBe(later.id);
});
const DEAR = {
  group: "billing",
  label: "billing/*",
  minuteMs: ISSUED_AT_MS,
  spent: microUsd(2n),
  calls: 1,
  allowed: microUsd(1n),
};

describe("secrets", () => {
  // Written so that no scanner takes them for real ones.
  const SECRETS = [`sk_live_${"4eC39HqLyjWDarjtT1zdp7dc"}`, `kbvk${"a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8"}`];
  test.each(SECRETS)("%s in a label, a path or a reason stands in no event", (secret) => {
    const fields = {
      label: `run/${secret}`,
      path: `/v1/${secret}`,
      reason: secret,
      by: secret,
      overrun: true,
    };
    const crossing = {
      keyId: "key_1",
      cap: "total",
      window: null,
      threshold: 100,
      capAmount: microUsd(1n),
      taken: microUsd(3n),
      resetsAtMs: null,
      atMs: ISSUED_AT_MS,
    } as const;
    const all = [
      ...["settled", "unresolved", "key.revoked", "run.stopped"].flatMap((event) =>
        announcementsOf(eventOf(event, fields)),
      ),
      capReached({ keyId: "key_1", vendor: "stripe", label: `run/${secret}` }, crossing),
    ];
    expect(all).toHaveLength(5);
    for (const announcement of all) expect(JSON.stringify(detailOf(announcement))).not.toContain(secret);
  });
});
