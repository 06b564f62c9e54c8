import type { Rules } from "./rules.ts";
import { type Faults, request, type Setting, setting } from "./state.ts";

/** The protocol with one guard broken on purpose, and the promise that this breaks (docs/architecture.md). */
export interface Broken {
  readonly name: string;
  /** Its number; `held` where budget stays held for ever. */
  readonly promise: "1" | "3" | "4" | "5" | "6" | "held";
  readonly setting: Setting;
}

type Given = Partial<Omit<Setting, "faults" | "rules">> & { readonly faults?: Partial<Faults> };

const broken = (
  promise: Broken["promise"],
  name: string,
  rules: Partial<Rules>,
  given: Given = {},
): Broken => ({
  name,
  promise,
  setting: setting({ requests: ONE, ...given, rules }),
});

const ONE = [request("c")];
const TWICE = [request("c"), request("c")];
const UNKEYED = [request("c", { keyed: false })];
const TWO_CALLS = [request("c", { keyed: false }), request("d", { keyed: false })];
const LONG = { caps: { L: { day: 3, total: 9 }, P: { day: 3, total: 9 } } };

/** Requests, writes and outcomes: W1 to W7. */
const STAGE_ONE: readonly Broken[] = [
  broken(
    "1",
    "a refused retry releases the call",
    { joinerReleases: true },
    { requests: TWICE, faults: { timeout: 1, refuse: 1 } },
  ),
  broken(
    "1",
    "a replay settles the call at nothing",
    { replayIsFree: true },
    { requests: TWICE, faults: { timeout: 1 } },
  ),
  broken(
    "1",
    "a retry uses a draw that was given back",
    { joinsOnlyHeld: false },
    { requests: TWICE, faults: { refuse: 1 } },
  ),
  broken(
    "1",
    "a retry uses the draw of a call in flight",
    { refusesInFlight: false },
    { requests: TWICE, faults: { refuse: 1 } },
  ),
  broken(
    "1",
    "a give-back is sent again",
    { backIsRepeated: true, backsMeetFence: false },
    { faults: { lost: 1, refuse: 1 } },
  ),
  broken(
    "held",
    "a draw is sent again",
    { drawIsRepeated: true },
    { caps: { L: { day: 4, total: 9 } }, faults: { lost: 1 } },
  ),
  broken(
    "1",
    "one attribute serves all windows",
    { windowsApart: false },
    { caps: { L: { day: 2, total: 9 } }, requests: TWO_CALLS, faults: { refuse: 1, roll: 1 } },
  ),
  broken(
    "1",
    "a draw is named by its call",
    { drawNamesAttempt: false },
    { requests: TWICE, faults: { tick: 1, crash: 1 } },
  ),
  broken(
    "4",
    "the price of a held call is counted again",
    { joinerCountsAnew: true },
    { requests: TWICE, faults: { timeout: 1, refuse: 1 } },
  ),
  broken(
    "5",
    "a retry does not look for a revocation",
    { joinerReadsChain: false },
    { requests: TWICE, revocable: "L", faults: { timeout: 1, revoke: 1 } },
  ),
  broken(
    "1",
    "a call is joined as long as the vendor replays",
    { vendorForgetsLate: false },
    { requests: TWICE, faults: { forget: 1 } },
  ),
  broken(
    "1",
    "a call is joined where the vendor ignores its key",
    { vendorHonoursKey: false },
    { requests: TWICE },
  ),
  broken(
    "1",
    "a decline ends a call that the vendor runs again",
    { vendorRerunsFailures: true },
    { requests: TWICE, faults: { timeout: 1, decline: 1 } },
  ),
  broken(
    "4",
    "a retry without budget is refused for good",
    { lackIsRepeatable: false },
    { requests: TWICE, faults: { tick: 1 } },
  ),
  broken(
    "6",
    "the record is written with the outcome only",
    { claimsFirst: false },
    { requests: TWICE, faults: { crash: 1, timeout: 1 } },
  ),
  broken(
    "1",
    "a stalled attempt releases what another one uses",
    { movedReleasesAlone: false },
    { requests: TWICE, faults: { refuse: 1 } },
  ),
  broken(
    "1",
    "a stalled attempt reports draws that the resolver has finished",
    { movedReportsNothing: false },
    { ...LONG, requests: [request("c", { chain: ["L", "P"] })], faults: { lost: 1 } },
  ),
  broken(
    "1",
    "a stalled attempt takes a replay for another key's",
    { movedPays: false },
    { requests: TWICE, faults: { timeout: 1 } },
  ),
  broken(
    "held",
    "a correction leaves the record unacknowledged",
    { dropsOnlyAcknowledged: false },
    { confirms: true, faults: { lost: 1, refuse: 1 } },
  ),
];

/** Resolver, evidence and consumer: W8. */
const RESOLVER: readonly Broken[] = [
  broken("1", "the resolver decides by age", { usesEvidence: false }, { faults: { refuse: 1 } }),
  broken("3", "the resolver raises no fence", { raisesFence: false }, { streams: true, faults: { lost: 1 } }),
  broken(
    "held",
    "a draw does not meet the fence",
    { drawsMeetFence: false },
    { requests: UNKEYED, caps: LONG.caps, faults: { lost: 1 } },
  ),
  broken("1", "a give-back does not meet the fence", { backsMeetFence: false }, { faults: { refuse: 1 } }),
  broken("3", "the resolver does not wait for the stream", { waitsForFence: false }, { streams: true }),
  broken(
    "3",
    "evidence with a gap is evidence",
    { refusesGaps: false },
    { streams: true, faults: { deadLetter: 1 } },
  ),
  broken(
    "3",
    "evidence begins with a write that was decided before",
    { beginsAtApplied: false },
    {
      requests: TWO_CALLS,
      caps: { L: { day: 4, total: 9 } },
      streams: true,
      faults: { tick: 1, deadLetter: 1 },
    },
  ),
  broken(
    "held",
    "evidence has the name of its last write",
    { evidenceByFirst: false },
    { requests: UNKEYED, streams: true, faults: { crash: 1, rewind: 1 } },
  ),
  broken("1", "the resolver compares no version", { compares: false }),
  broken(
    "3",
    "the fence of one attempt covers the next",
    { fenceCoversEach: false },
    { requests: TWICE, faults: { crash: 1 } },
  ),
  broken(
    "held",
    "only the leaf's draw is looked for",
    { looksAtWholeChain: false },
    { ...LONG, requests: [request("c", { chain: ["L", "P"] })], faults: { crash: 1 } },
  ),
  broken(
    "held",
    "only the leaf's draw makes an attempt known",
    { anyDrawIsKnown: false },
    { ...LONG, requests: [request("c", { keyed: false, chain: ["L", "P"] })], faults: { crash: 1 } },
  ),
  broken("1", "an attempt with all its draws is released by its age", { holdsComplete: false }),
  broken(
    "1",
    "an attempt that was never sent gets back more than was drawn",
    { returnsOnlyDrawn: false },
    { faults: { crash: 1 } },
  ),
  broken("1", "ambiguous draws go back unseen", { returnsOnlyLanded: false }, { faults: { lost: 1 } }),
  broken(
    "held",
    "what another attempt pays for stays held",
    { returnsCovered: false },
    { requests: TWICE, caps: { L: { day: 4, total: 9 } } },
  ),
  broken(
    "1",
    "a correction that landed is sent again",
    { looksForCorrection: false },
    { faults: { refuse: 1 } },
  ),
  broken(
    "1",
    "a correction is sent again before it is noted",
    { notesRedo: false },
    { faults: { refuse: 1, crash: 1 } },
  ),
  broken(
    "held",
    "a correction that is sent again goes to the present window",
    { redoKeepsWindow: false },
    { faults: { refuse: 1, crash: 1, roll: 1 } },
  ),
];

/** Other writers of a record: late prices, and verdicts from outside. */
const OTHERS: readonly Broken[] = [
  broken("1", "two runs settle one late price", { lateCompares: false }, { price: 2, latePrice: 1 }),
  broken(
    "1",
    "a call is closed while its retry is in flight",
    { verdictNeedsNoLease: false },
    { requests: TWICE, faults: { timeout: 1, error: 1, verdict: 1 } },
  ),
  broken(
    "1",
    "what the books do not show yet was not charged",
    { absenceIsNoVerdict: false },
    { faults: { timeout: 1, verdict: 1 } },
  ),
  broken(
    "1",
    "an attempt is sent after its lease",
    { keepsDeadline: false },
    { faults: { tick: 1, verdict: 1 } },
  ),
];

export const BROKEN: readonly Broken[] = [...STAGE_ONE, ...RESOLVER, ...OTHERS];
