import { eachAtOnce } from "../../at-once.ts";
import { correctionsBy } from "../../domain/call/corrections.ts";
import { deniedRecordId } from "../../domain/call/names.ts";
import { type CallRecord, newAttempt, unclaimed } from "../../domain/call/record.ts";
import { isHeld, type LandedOf, type Resolution, resolved } from "../../domain/call/resolve.ts";
import { dollars } from "../../domain/money.ts";
import type { DueCall, DueList, KnownDraw } from "../../ports/due-list.ts";
import type { Ids } from "../../ports/ids.ts";
import type { CallVault } from "../../ports/vault.ts";
import { sendCorrections } from "../proxy/send-corrections.ts";
import type { AskedBooks } from "./close-by-books.ts";
import { type EvidencePorts, gatherEvidence } from "./gather-evidence.ts";

export interface ResolvePorts extends EvidencePorts {
  readonly vault: Pick<CallVault, "policies" | "balances" | "calls">;
  readonly dueList: Omit<DueList, "isAnyDue">;
  readonly ids: Ids;
  /** Asks the books of its vendor for an unresolved call; without it a person has to close it. */
  readonly askBooks?: (recordId: string, deadlineMs: number) => Promise<AskedBooks>;
  readonly warn: (message: string, cause: unknown) => void;
}

/** What one run did. */
export interface ResolveRun {
  /** Calls of which nothing is left to decide. */
  readonly finished: number;
  /** Calls whose outcome is unknown: their vendor's books are asked again, or a person. */
  readonly unresolved: number;
  /** Calls that wait for evidence which is not there yet, or until they are old enough. */
  readonly waiting: number;
  /** Calls that have waited for evidence for too long, or that nobody can decide any more: a part of the stream was never recorded. */
  readonly blocked: number;
}

const PAGE = 100;
const CALLS_AT_ONCE = 8;
/** Longer than a run. */
const ASKED_MS = 300_000;
/** What a page may take. */
const PAGE_MS_MAX = 20_000;
/** A compare-and-set that keeps failing is contention; the call stays due. */
const TRIES_MAX = 10;
const AGAIN_MS_MIN = 15_000;
/** Below the five minutes of whoever wakes the resolver: what is blocked makes each of its runs fail, and so its alarm rings. */
const AGAIN_MS_MAX = 240_000;
/** A stream tells a write within seconds. */
const BLOCKED_MS = 900_000;
/** Records of calls are kept for two days at least: one that is not there before was never written. */
const UNWRITTEN_MS_MAX = 47 * 3_600_000;

/**
 * Finishes calls whose process died, or that could not tell what became of a write (W8): those on the due list, the longest
 * due first, until there is none left or no time (milliseconds). What certainly was never sent comes back; what may have been
 * sent stays held, as unresolved. Vendors are asked at the end, in the time that is left: one that is slow keeps nothing else from
 * coming back. Two runs at once do no harm.
 *
 * `afterMs`: what was issued less long ago is left alone.
 */
export async function resolveCalls(
  { afterMs, deadlineMs }: { readonly afterMs: number; readonly deadlineMs: number },
  ports: ResolvePorts,
): Promise<ResolveRun> {
  const run = { finished: 0, unresolved: 0, waiting: 0, blocked: 0 };
  const toAsk: DueCall[] = [];
  const inVain = new Set<string>();
  while (ports.clock.now() + PAGE_MS_MAX < deadlineMs) {
    const untilMs = ports.clock.now() - afterMs;
    const page = await ports.dueList.due(ports.clock.now(), PAGE);
    if (page.length === 0) break;
    const calls = await eachAtOnce(page, CALLS_AT_ONCE, async (due) => ({
      due,
      record: await recordOf(due, ports).catch(failed("unreadable" as const, due, ports)),
    }));
    const records = calls.flatMap(({ record }) => (typeof record === "string" ? [] : (record ?? [])));
    const landed = await gatherEvidence(records, untilMs, ports, { deadlineMs, inVain });
    await eachAtOnce(calls, CALLS_AT_ONCE, async ({ due, record }) => {
      const ended =
        typeof record === "string"
          ? WITHOUT_RECORD[record]
          : await finish(due, record, { landed, untilMs }, ports).catch(
              failed("waiting" as const, due, ports),
            );
      if (record === "too_old" || (ended === "waiting" && isBlocked(due, ports))) run.blocked += 1;
      if (ended === "unresolved") toAsk.push(await putOff(due, ports));
      else {
        run[ended === "young" ? "waiting" : ended] += 1;
        await postpone(due, ended, ports);
      }
    });
  }
  const closed = await askAll(toAsk, deadlineMs, ports);
  return { ...run, finished: run.finished + closed, unresolved: toAsk.length - closed };
}

/** `waiting`: for evidence. `young`: until it is old enough. */
type Ended = "finished" | "unresolved" | "waiting" | "young";

/** So that the next page has others; a run that dies before it asks leaves it to one of the next. */
async function putOff(
  due: DueCall,
  { dueList, clock }: Pick<ResolvePorts, "dueList" | "clock">,
): Promise<DueCall> {
  const dueMs = clock.now() + ASKED_MS;
  await dueList.move(due, dueMs);
  return { ...due, dueMs };
}

/** Asks vendors' books for these calls, for as long as there is time. Returns how many of them are closed. */
async function askAll(toAsk: readonly DueCall[], deadlineMs: number, ports: ResolvePorts): Promise<number> {
  // A call may stand on the list several times, and its vendor is asked once.
  const asked = new Map<string, Promise<AskedBooks>>();
  const closed = await eachAtOnce(toAsk, CALLS_AT_ONCE, async (due) => {
    const asking = asked.get(due.recordId) ?? askedBooks(due, deadlineMs, ports);
    asked.set(due.recordId, asking);
    const books = await asking;
    if (books.kind === "again")
      // From then on it waits for nothing else.
      await ports.dueList.move({ ...due, sinceMs: books.dueMs }, books.dueMs);
    else if (books.kind !== "no_time") await ports.dueList.remove(due);
    return books.kind === "closed";
  });
  return closed.filter((isClosed) => isClosed).length;
}

/** What fails there is tried again: the call stays due. */
const askedBooks = async (
  { recordId }: DueCall,
  deadlineMs: number,
  { askBooks, clock, warn }: ResolvePorts,
): Promise<AskedBooks> =>
  (await askBooks?.(recordId, deadlineMs).catch((error: unknown) => {
    warn(`${recordId} could not be closed by the books of its vendor; it is tried again later`, error);
    return { kind: "again", dueMs: clock.now() + AGAIN_MS_MIN } as const;
  })) ?? { kind: "never" };

/** What fails on one call stands in no other's way: it stays due. */
const failed =
  <Instead>(instead: Instead, { recordId }: DueCall, { warn }: Pick<ResolvePorts, "warn">) =>
  (error: unknown): Instead => {
    warn(`${recordId} could not be finished; it is tried again later`, error);
    return instead;
  };

/** One that cannot be read now is looked at again; one that nobody can tell any more is off the list. */
const WITHOUT_RECORD = { unreadable: "waiting", too_old: "finished" } as const;

/**
 * The record of a call that is due; where it was never written, as the draw tells it. `too_old`: it may never have been written, or
 * may be gone.
 */
async function recordOf(
  { recordId, draw }: DueCall,
  ports: ResolvePorts,
): Promise<CallRecord | "too_old" | null> {
  const record = await ports.vault.calls.read(recordId);
  if (record !== null || draw === null) return record;
  if (draw.issuedAtMs >= ports.clock.now() - UNWRITTEN_MS_MAX) return recordOfDraw(recordId, draw, ports);
  ports.warn(
    `${recordId} has no record any more, or never had one: if its draw of ${dollars(draw.amount)} on the key ${draw.keyId} landed, it stays held; raise the key's cap by as much where it is needed`,
    null,
  );
  return "too_old";
}

/** A call without idempotency key: its record is written with its outcome only, and its process died before. */
async function recordOfDraw(
  recordId: string,
  { keyId, attemptId, amount, issuedAtMs, method, path }: KnownDraw,
  { vault }: Pick<ResolvePorts, "vault">,
): Promise<CallRecord | null> {
  const policy = await vault.policies.read(keyId);
  if (policy === null) return null;
  const request = {
    keyId,
    method,
    path,
    callLabel: null,
    idempotencyKey: null,
    amountText: null,
    currency: null,
    fxRate: null,
    sourceIp: null,
    userAgent: null,
  };
  const attempt = newAttempt({ attemptId, kind: "own", amount, policy, issuedAtMs, request });
  return unclaimed(recordId, attempt);
}

interface Evidenced {
  readonly landed: LandedOf;
  readonly untilMs: number;
}

/** Decides what can be decided of one call, and sends what goes back. */
async function finish(
  { recordId }: DueCall,
  read: CallRecord | null,
  { landed, untilMs }: Evidenced,
  { vault, clock, ids }: ResolvePorts,
): Promise<Ended> {
  const writer = `resolve_${ids.random(20)}`;
  let record = read;
  for (let tries = 0; tries < TRIES_MAX && record !== null; tries++) {
    const denied = await deniedIn(record, vault.calls);
    const next = resolved(record, landed, { writer, nowMs: clock.now(), untilMs, denied });
    const ended = endedAs(next);
    if (!next.isChanged && record.version > 0) return ended;
    // The record of a call that waits is written as it is: in two days nobody could tell any more that it never was.
    const saved = await vault.calls.save(next.record, record.version, null);
    if (saved.kind === "object_ended") break;
    const now = saved.kind === "saved" ? next.record : saved.record;
    // Sent once, by whoever decided it: this very write may have landed before, though its reply was lost.
    const corrections = now === null ? [] : correctionsBy(now, writer);
    if (now !== null && (saved.kind === "saved" || corrections.length > 0)) {
      await sendCorrections({ record: now, corrections }, vault);
      return ended;
    }
    record = now;
  }
  if (record === null) return "finished";
  throw new Error(`the record of ${recordId} kept changing`);
}

const WAITS = { evidence: "waiting", age: "young" } as const;
const endedAs = ({ waitsFor, record }: Resolution): Ended =>
  waitsFor !== null ? WAITS[waitsFor] : isHeld(record) ? "unresolved" : "finished";

/** The open attempts that were denied on a record of their own, since nobody acknowledged their claim. */
async function deniedIn(
  { callId, attempts }: CallRecord,
  calls: Pick<CallVault["calls"], "read">,
): Promise<ReadonlySet<string>> {
  const open = Object.values(attempts).filter(({ state }) => state === "open");
  const denied = await eachAtOnce(open, CALLS_AT_ONCE, async ({ attemptId }) =>
    (await calls.read(deniedRecordId(callId, attemptId))) === null ? [] : attemptId,
  );
  return new Set(denied.flat());
}

const isBlocked = ({ sinceMs }: DueCall, { clock }: Pick<ResolvePorts, "clock">): boolean =>
  clock.now() - sinceMs > BLOCKED_MS;

/** Takes a call off the list, or puts it there for later: after as long as it has been there, within bounds. */
async function postpone(
  due: DueCall,
  ended: Exclude<Ended, "unresolved">,
  { dueList, clock }: Pick<ResolvePorts, "dueList" | "clock">,
): Promise<void> {
  if (ended === "finished") return dueList.remove(due);
  const nowMs = clock.now();
  // What is young lacks nothing: it begins to wait when it is old enough.
  const sinceMs = ended === "young" ? nowMs : due.sinceMs;
  const againMs = Math.min(Math.max(nowMs - sinceMs, AGAIN_MS_MIN), AGAIN_MS_MAX);
  await dueList.move({ ...due, sinceMs }, nowMs + againMs);
}
