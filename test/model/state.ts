import { type Rules, SOUND } from "./rules.ts";

/** What one exploration is about: keys, requests, prices, how many faults may happen, and which rules hold. */
export interface Setting {
  readonly caps: Readonly<Record<string, Cap>>;
  readonly requests: readonly Request[];
  readonly rules: Rules;
  readonly faults: Faults;
  /** What the vendor charges for a call, and what it says later that it was, where it names prices late. */
  readonly price: number;
  readonly latePrice: number | null;
  /** The key that may be revoked. */
  readonly revocable: string | null;
  /** How many windows a balance keeps: a draw in window i drops i - windowsKept. */
  readonly windowsKept: number;
  /** The stream is delivered step by step. Else the evidence of a fence is there with it. */
  readonly streams: boolean;
  /** Acknowledged corrections are taken off the record. */
  readonly confirms: boolean;
}

/** Caps of a key, each for one window and for its life. */
export interface Cap {
  readonly day: number;
  readonly total: number;
}

export interface Request {
  readonly call: string;
  /** Whether it has an idempotency key that the vendor honours. */
  readonly keyed: boolean;
  /** The leaf first, then the keys above it. */
  readonly chain: readonly string[];
  readonly amount: number;
  /** Sent only when all is quiet: a run that is resumed an hour later. */
  readonly resumes: boolean;
}

/** How often each fault may still happen. */
export interface Faults {
  crash: number;
  /** A write without an answer: it lands now, later or never. */
  lost: number;
  timeout: number;
  refuse: number;
  decline: number;
  /** The vendor answers 500, charged or not. */
  error: number;
  roll: number;
  revoke: number;
  /** The record gets too old to be joined, and the vendor may forget its key. */
  age: number;
  forget: number;
  /** Leases end, while nobody raises a fence. */
  tick: number;
  /** A record of the stream goes to the dead letters; a dead letter is replayed. */
  deadLetter: number;
  replay: number;
  /** A shard is read once more from an earlier place. */
  rewind: number;
  /** Somebody closes an unresolved call. */
  verdict: number;
}

const NO_FAULTS: Faults = {
  crash: 0,
  lost: 0,
  timeout: 0,
  refuse: 0,
  decline: 0,
  error: 0,
  roll: 0,
  revoke: 0,
  age: 0,
  forget: 0,
  tick: 0,
  deadLetter: 0,
  replay: 0,
  rewind: 0,
  verdict: 0,
};

/** One write of a balance. A force is a back below zero. */
export interface Write {
  readonly op: "draw" | "back" | "fence";
  readonly key: string;
  readonly id: string;
  readonly window: number;
  readonly amount: number;
  readonly issuedAt: number;
}

/** A write that was applied, with its time. Its number n is its place in the log. */
export interface Applied {
  readonly op: Write["op"];
  readonly id: string;
  readonly issuedAt: number;
  readonly at: number;
}

export interface Balance {
  /** Left of each window; null where it is untouched or dropped. */
  left: (number | null)[];
  total: number;
  /** The latest window that was drawn from. */
  latest: number;
  revoked: boolean;
  fence: number;
  /** Its stream: every write that was applied, in order. */
  log: Applied[];
  /** How many writes of the stream were delivered or died. */
  delivered: number;
  /** Evidence items: the numbers of their writes. */
  evidence: Record<number, readonly number[]>;
  /** Writes that are dead letters. */
  dead: number[];
}

export type AttemptState =
  | "open"
  | "settled"
  | "released"
  | "paid_by_other"
  | "denied"
  | "unresolved"
  /** The resolver's word: it lacked a draw. The product calls it released. */
  | "never_sent"
  | "joined";

export interface Attempt {
  state: AttemptState;
  readonly own: boolean;
  readonly window: number;
  readonly amount: number;
  readonly chain: readonly string[];
  readonly issuedAt: number;
  /** Keys whose draw may have landed. */
  ambiguous: readonly string[];
  readonly settledAtJoin: boolean;
  /** It stands on the record. Else only its draws tell of it. */
  noted: boolean;
  /** Its outcome is written. */
  done: boolean;
  /** What it added to what is spent. */
  cost: number;
}

export interface Correction {
  readonly key: string;
  readonly window: number;
  readonly amount: number;
  readonly issuedAt: number;
}

/** The record of a call. */
export interface Call {
  readonly bornAged: number;
  version: number;
  lease: { readonly by: string; readonly at: number } | null;
  joiners: number;
  payer: string | null;
  ended: boolean;
  /** A late price is waited for. */
  late: boolean;
  attempts: Record<string, Attempt>;
  corrections: Record<string, Correction>;
}

export type Answer =
  | { readonly kind: "denied"; readonly why: string }
  | { readonly kind: "refused" }
  | { readonly kind: "unknown" }
  | { readonly kind: "executed"; readonly replayed: boolean }
  | { readonly kind: "declined"; readonly replayed: boolean };

/** A process that handles one request. */
export interface Process {
  readonly id: string;
  at: "start" | "draw" | "forward" | "vendor" | "outcome" | "correct" | "confirm" | "done";
  issuedAt: number;
  window: number;
  aged: number;
  call: string;
  own: boolean;
  /** What became of the draw of each key. */
  draws: Record<string, "sent" | "drawn" | "refused" | "ambiguous">;
  repeated: boolean;
  /** The window that a charge by this attempt counts in. */
  usesWindow: number;
  answer: Answer | null;
  corrections: Write[];
  acknowledged: string[];
}

export interface AtVendor {
  readonly attempt: string;
  /** The idempotency key, where the vendor sees one. */
  readonly key: string | null;
  readonly call: string;
  readonly window: number;
}

export interface Charge {
  readonly attempt: string;
  readonly call: string;
  readonly window: number;
  readonly chain: readonly string[];
  price: number;
}

export interface Vendor {
  keys: Record<
    string,
    { readonly running: boolean; readonly result: "executed" | "declined" | "unknown"; readonly aged: number }
  >;
  inbox: AtVendor[];
  running: AtVendor[];
  charges: Charge[];
  replies: Record<string, Answer>;
}

export interface Blind {
  readonly what: string;
  readonly call: string;
  readonly record: Call;
  readonly writes: readonly Write[];
}

export interface State {
  /** Ticks: issue times and fences are in them. A lease ends with its tick. */
  clock: number;
  window: number;
  aged: number;
  balances: Record<string, Balance>;
  calls: Record<string, Call>;
  processes: Process[];
  vendor: Vendor;
  /** Writes without an answer. */
  limbo: Write[];
  /** Corrections that the resolver, or a run for late prices, has decided and not sent yet. */
  outbox: Write[];
  /** Records that somebody decided and writes without a look at the version, where a rule lets them. */
  blind: Blind[];
  /** Runs for late prices that may still begin. */
  lateRuns: number;
  faults: Faults;
  forwarded: string[];
  /** Promises that a step broke by itself. */
  broken: string[];
}

const NAMES = "ABCDE";

export const requestOf = (setting: Setting, id: string): Request => {
  const request = setting.requests[NAMES.indexOf(id)];
  if (request === undefined) throw new Error(`no request ${id}`);
  return request;
};

export function initial(setting: Setting): State {
  const windows = setting.faults.roll + 1;
  return {
    clock: 0,
    window: 0,
    aged: 0,
    balances: Object.fromEntries(
      Object.entries(setting.caps).map(([key, { total }]) => [
        key,
        {
          left: Array.from({ length: windows }, () => null),
          total,
          latest: 0,
          revoked: false,
          fence: -1,
          log: [],
          delivered: 0,
          evidence: {},
          dead: [],
        },
      ]),
    ),
    calls: {},
    processes: setting.requests.map((_, index) => newProcess(NAMES.charAt(index))),
    vendor: { keys: {}, inbox: [], running: [], charges: [], replies: {} },
    limbo: [],
    outbox: [],
    blind: [],
    lateRuns: setting.latePrice === null ? 0 : 2,
    faults: { ...setting.faults },
    forwarded: [],
    broken: [],
  };
}

const newProcess = (id: string): Process => ({
  id,
  at: "start",
  issuedAt: 0,
  window: 0,
  aged: 0,
  call: "",
  own: true,
  draws: {},
  repeated: false,
  usesWindow: 0,
  answer: null,
  corrections: [],
  acknowledged: [],
});

export const isLive = ({ at }: Process): boolean => at !== "start" && at !== "done";

/** A setting with one key of a cap of three a window, and no faults, but for what is given. */
export const setting = (
  given: Partial<Omit<Setting, "faults" | "rules">> & {
    readonly requests: readonly Request[];
    readonly faults?: Partial<Faults>;
    readonly rules?: Partial<Rules>;
  },
): Setting => ({
  caps: { L: { day: 3, total: 9 } },
  price: 1,
  latePrice: null,
  revocable: null,
  windowsKept: 9,
  streams: false,
  confirms: false,
  ...given,
  faults: { ...NO_FAULTS, ...given.faults },
  rules: { ...SOUND, ...given.rules },
});

/** A request of two for the key L, but for what is given. */
export const request = (call: string, given: Partial<Request> = {}): Request => ({
  call,
  keyed: true,
  chain: ["L"],
  amount: 2,
  resumes: false,
  ...given,
});
