import { describe, expect, test } from "vitest";
import type { Stop } from "../../lambda/domain/stop.ts";
import { afterLifting, afterPage, newStopRecord } from "../../lambda/domain/stop-record.ts";
import type { StopsVault } from "../../lambda/ports/stops.ts";

/** What the stops of every vault do, whatever it is made of. */

const START = 1_795_323_600_000;
let made = 0;

const newStop = (change: Partial<Stop> = {}): Stop => ({
  id: `stop_${START + made++}AbCdEf`,
  matcher: {
    label: { kind: "prefix", text: "größe/🗼" },
    vendor: "stripe",
    parentId: null,
    apiKeyId: null,
    vendors: ["stripe"],
    credentials: null,
  },
  reason: "lädt doppelt ab",
  by: "ak_1",
  atMs: START,
  untilMs: START + 1000,
  ...change,
});

export function stopsContract(vaultOf: () => StopsVault): void {
  const found = async (stop: Stop) => (await vaultOf().stops.read()).stops.find(({ id }) => id === stop.id);

  describe("the stops in force", () => {
    test("are read as they were ordered, by the very next read", async () => {
      const [one, other] = [newStop(), newStop({ reason: null, matcher: ALL })];
      await Promise.all([vaultOf().stops.order(one), vaultOf().stops.order(other)]);
      expect([await found(one), await found(other)]).toEqual([one, other]);
      expect((await vaultOf().stops.read()).last).toEqual({ by: "ak_1", atMs: START });
    });

    test("are as they were when one is ordered twice", async () => {
      const stop = newStop();
      await vaultOf().stops.order(stop);
      const before = await vaultOf().stops.read();
      await vaultOf().stops.order(stop);
      expect(await vaultOf().stops.read()).toEqual(before);
    });

    test("lose the one that is lifted, and no other; it is lifted once", async () => {
      const [one, other] = [newStop(), newStop()];
      for (const stop of [one, other]) await vaultOf().stops.order(stop);
      const lifting = { stopId: one.id, by: "admin", nowMs: START + 5 };
      expect(await vaultOf().stops.lift(lifting)).toBe(true);
      expect((await vaultOf().stops.read()).last).toEqual({ by: "admin", atMs: START + 5 });
      expect(await vaultOf().stops.lift({ ...lifting, nowMs: START + 9 })).toBe(false);
      expect((await vaultOf().stops.read()).last).toEqual({ by: "admin", atMs: START + 5 });
      expect([await found(one), await found(other)]).toEqual([undefined, other]);
    });

    test("lose those whose time is over, and nothing is written for none", async () => {
      const stops = [newStop(), newStop(), newStop()];
      for (const stop of stops) await vaultOf().stops.order(stop);
      await vaultOf().stops.end([], START + 6);
      expect((await vaultOf().stops.read()).last?.atMs).toBe(START);
      await vaultOf().stops.end(
        stops.slice(0, 2).map(({ id }) => id),
        START + 7,
      );
      expect((await vaultOf().stops.read()).last).toEqual({ by: "time", atMs: START + 7 });
      expect(await Promise.all(stops.map(found))).toEqual([undefined, undefined, stops[2]]);
    });
  });

  describe("the record of a stop", () => {
    test("is put once, and replaced only by who has read it last", async () => {
      const record = newStopRecord(newStop());
      const { stopRecords } = vaultOf();
      expect(await stopRecords.read(record.stop.id)).toBeNull();
      expect(await stopRecords.save(record, 0)).toBe(true);
      expect(await stopRecords.save(record, 0)).toBe(false);

      const paged = afterPage(record, 7, { list: 1, before: "2026-11-28#key_1" }, START + 5);
      expect(await stopRecords.save(paged, 1)).toBe(true);
      expect(await stopRecords.save(afterLifting(record, "admin", START + 6), 1)).toBe(false);
      expect(await stopRecords.read(record.stop.id)).toEqual(paged);

      const done = afterLifting(afterPage(paged, 2, null, START + 7), "admin", START + 8);
      expect(await stopRecords.save(done, 2)).toBe(true);
      expect(await stopRecords.read(record.stop.id)).toEqual({
        ...done,
        keysRevoked: 9,
        place: null,
        revokedAtMs: START + 7,
        lifted: { by: "admin", atMs: START + 8 },
      });
    });

    test("is found page by page, newest first, each once", async () => {
      const { stopRecords } = vaultOf();
      const ids: string[] = [];
      for (let n = 0; n < 7; n++) {
        const record = newStopRecord(newStop());
        ids.push(record.stop.id);
        await stopRecords.save(record, 0);
      }
      const seen: string[] = [];
      for (let before: string | null = null, isLast = false; !isLast && seen.length < 7; ) {
        const page = await stopRecords.page({ before, limit: 3 });
        seen.push(...page.records.map(({ stop }) => stop.id));
        before = page.next;
        isLast = page.next === null;
      }
      expect(seen.slice(0, 7)).toEqual(ids.toReversed());
    });
  });
}

const ALL = { label: null, vendor: null, parentId: null, apiKeyId: null, vendors: null, credentials: null };
