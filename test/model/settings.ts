import { request, type Setting, setting } from "./state.ts";

/** A setting in which the protocol must keep every promise. */
export interface NamedSetting {
  readonly name: string;
  readonly setting: Setting;
}

const named = (name: string, given: Parameters<typeof setting>[0]): NamedSetting => ({
  name,
  setting: setting(given),
});

const TWICE = [request("c"), request("c")];
const UNKEYED = [request("c", { keyed: false })];
const two = { L: { day: 3, total: 9 }, P: { day: 3, total: 9 } };
const three = { ...two, R: { day: 3, total: 9 } };

export const SETTINGS: readonly NamedSetting[] = [
  named("one call, every fault of the vendor", {
    requests: [request("c")],
    faults: { crash: 1, lost: 1, timeout: 1, refuse: 1, decline: 1, error: 1 },
  }),
  named("one call without idempotency key, chain of two", {
    caps: two,
    requests: [request("c", { keyed: false, chain: ["L", "P"] })],
    faults: { crash: 1, lost: 1, timeout: 1 },
  }),
  named("one call, dies twice, loses two writes", {
    requests: [request("c")],
    faults: { crash: 2, lost: 2, refuse: 1 },
  }),
  named("a call and its repeat: refused, out of time, dead", {
    requests: TWICE,
    faults: { timeout: 1, refuse: 1, crash: 1 },
  }),
  named("a call and its repeat: declined, error", {
    requests: TWICE,
    faults: { timeout: 1, decline: 1, error: 1 },
  }),
  named("a call and its repeat after the lease", { requests: TWICE, faults: { tick: 1, crash: 1, lost: 1 } }),
  named("a call and its repeat after the lease, declined", {
    requests: TWICE,
    faults: { tick: 1, decline: 1, timeout: 1 },
  }),
  named("a call and its repeat, revoked", {
    requests: TWICE,
    revocable: "L",
    faults: { timeout: 1, crash: 1, revoke: 1 },
  }),
  named("a call and its repeat, records age and the vendor forgets", {
    requests: TWICE,
    faults: { timeout: 1, age: 1, forget: 1 },
  }),
  named("a vendor that runs failures again", {
    requests: TWICE,
    faults: { timeout: 1, decline: 1 },
    rules: { vendorRerunsFailures: true, declineEnds: false },
  }),
  named("the stream, step by step", {
    requests: [request("c")],
    streams: true,
    faults: { crash: 1, lost: 1, refuse: 1 },
  }),
  named("the stream, read again", {
    requests: UNKEYED,
    streams: true,
    faults: { crash: 1, lost: 1, rewind: 1 },
  }),
  named("a dead letter that is never replayed", {
    requests: [request("c", { keyed: false }), request("d", { keyed: false, amount: 1 })],
    streams: true,
    faults: { crash: 1, deadLetter: 1 },
  }),
  named("a dead letter that is replayed", {
    requests: UNKEYED,
    streams: true,
    faults: { lost: 1, refuse: 1, deadLetter: 1, replay: 1 },
  }),
  named("windows end, one after the other", { requests: TWICE, faults: { timeout: 1, crash: 1, roll: 2 } }),
  named("a window that is dropped before its give-back", {
    requests: [request("c", { keyed: false }), request("d", { keyed: false })],
    windowsKept: 1,
    faults: { refuse: 1, lost: 1, roll: 1 },
  }),
  named("a total cap beside the daily one", {
    caps: { L: { day: 3, total: 4 } },
    requests: [request("c", { keyed: false }), request("d", { keyed: false })],
    faults: { timeout: 1, crash: 1, roll: 1 },
  }),
  named("a price above what was reserved", {
    requests: TWICE,
    price: 3,
    faults: { timeout: 1, crash: 1, lost: 1 },
  }),
  named("a late price above the estimate", {
    requests: [request("c"), request("c")],
    latePrice: 3,
    faults: { crash: 1, lost: 1 },
  }),
  named("a late price below the estimate", {
    requests: TWICE,
    price: 2,
    latePrice: 1,
    faults: { crash: 1, lost: 1 },
  }),
  named("a chain of three", {
    caps: three,
    requests: [request("c", { keyed: false, chain: ["L", "P", "R"] })],
    faults: { crash: 1, lost: 1 },
  }),
  named("a verdict from outside, and a retry", {
    requests: TWICE,
    faults: { timeout: 1, tick: 1, verdict: 1 },
  }),
  named("a verdict on a call that died", { requests: TWICE, faults: { crash: 1, verdict: 1, lost: 1 } }),
  named("a run that is resumed, with a budget for one call", {
    caps: { L: { day: 2, total: 2 } },
    requests: [request("c"), request("c"), request("c", { resumes: true })],
    faults: { crash: 1, lost: 1, tick: 1 },
  }),
];

/** Too large to be seen whole: three requests, and every fault. Schedules by chance. */
export const EVERYTHING: NamedSetting = named("everything at once", {
  caps: { L: { day: 3, total: 5 }, M: { day: 3, total: 5 }, P: { day: 4, total: 7 } },
  requests: [
    request("c", { chain: ["L", "P"] }),
    request("c", { chain: ["L", "P"] }),
    request("d", { keyed: false, chain: ["M", "P"] }),
  ],
  revocable: "P",
  streams: true,
  confirms: true,
  faults: {
    crash: 2,
    lost: 2,
    timeout: 2,
    refuse: 1,
    decline: 1,
    error: 1,
    roll: 1,
    revoke: 1,
    age: 1,
    forget: 1,
    tick: 1,
    deadLetter: 1,
    replay: 1,
    rewind: 1,
  },
});
