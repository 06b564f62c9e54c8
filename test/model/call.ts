import type {
  Answer,
  Attempt,
  AttemptState,
  Call,
  Process,
  Request,
  Setting,
  State,
  Write,
} from "./state.ts";

/** An attempt with its id. */
export type Named = readonly [id: string, attempt: Attempt];

export const ownAttempts = (call: Call): readonly Named[] =>
  Object.entries(call.attempts).filter(([, { own }]) => own);

export const unresolvedOf = (call: Call): readonly Named[] =>
  ownAttempts(call).filter(([, { state }]) => state === "unresolved");

export const isLeased = (call: Call, clock: number): boolean => call.lease !== null && call.lease.at >= clock;

export const drawIdOf = (attemptId: string, call: string, { rules }: Setting): string =>
  rules.drawNamesAttempt ? `d${attemptId}` : `d${call}`;

const newCall = (bornAged: number): Call => ({
  bornAged,
  version: 0,
  lease: null,
  joiners: 0,
  payer: null,
  ended: false,
  late: false,
  attempts: {},
  corrections: {},
});

const newAttempt = (
  process: Process,
  { amount, chain }: Request,
  given: Pick<Attempt, "own" | "settledAtJoin" | "noted">,
): Attempt => ({
  state: "open",
  window: process.window,
  amount,
  chain,
  issuedAt: process.issuedAt,
  ambiguous: [],
  done: false,
  cost: 0,
  ...given,
});

/** Puts an attempt without idempotency key: nothing of it is written before its outcome. */
export function putUnclaimed(state: State, process: Process, request: Request): void {
  process.call = request.call;
  const call = newCall(state.aged);
  call.attempts[process.id] = newAttempt(process, request, { own: true, settledAtJoin: false, noted: false });
  state.calls[request.call] = call;
}

/** Claims the call, or joins it (W1, W1b). `busy` is our own 409. */
export function claim(
  state: State,
  process: Process,
  request: Request,
  { rules }: Setting,
): "own" | "join" | "busy" {
  let name = request.call;
  while ((state.calls[name]?.bornAged ?? state.aged) < state.aged) name += "~";
  const found = state.calls[name];
  if (found !== undefined && rules.refusesInFlight && isLeased(found, state.clock)) return "busy";
  const call = found ?? newCall(state.aged);
  state.calls[name] = call;

  const joined = joinable(call, rules);
  process.call = name;
  process.own = joined === null;
  process.usesWindow = joined === null ? process.window : joined.window;
  call.attempts[process.id] = newAttempt(process, request, {
    own: joined === null,
    settledAtJoin: call.payer !== null,
    noted: rules.claimsFirst,
  });
  if (joined !== null) call.joiners = 1;
  if (rules.claimsFirst) call.lease = { by: process.id, at: state.clock };
  call.version++;
  return joined === null ? "own" : "join";
}

/** The attempt whose draw a new attempt may use; null where it has to make one. */
function joinable(call: Call, rules: Setting["rules"]): Attempt | null {
  if (call.payer !== null) return call.attempts[call.payer] ?? null;
  const noted = ownAttempts(call).filter(([, attempt]) => attempt.noted);
  const usable = noted.find(
    ([, { state }]) =>
      state === "unresolved" ||
      (!rules.joinsOnlyHeld && state !== "open") ||
      (!rules.refusesInFlight && state === "open"),
  );
  return usable?.[1] ?? null;
}

/** Whether another attempt of the call holds budget, or may. */
export const othersHold = (call: Call, attemptId: string): boolean =>
  ownAttempts(call).some(
    ([id, { noted, state }]) =>
      id !== attemptId && noted && ["open", "unresolved", "settled"].includes(state),
  );

/** Decides what an answer means, writes it to the record, and returns the corrections that its writer sends (W5). */
export function writeOutcome(state: State, process: Process, setting: Setting): Write[] {
  const call = callOf(state, process.call);
  const attempt = attemptOf(call, process.id);
  const outcome = new Outcome(state, call, process, setting);
  call.version++;
  if (call.lease?.by === process.id) call.lease = null;
  attempt.noted = true;
  attempt.done = true;
  if (process.answer === null) throw new Error("an outcome needs its answer");
  if (!attempt.own) outcome.ofJoiner(attempt, process.answer);
  else if (attempt.state === "open") outcome.ofOpen(attempt, process.answer);
  else outcome.ofMoved(attempt, process.answer);
  return outcome.corrections;
}

/** Gathers what one answer changes. */
class Outcome {
  readonly corrections: Write[] = [];
  readonly #state: State;
  readonly #call: Call;
  readonly #process: Process;
  readonly #setting: Setting;

  constructor(state: State, call: Call, process: Process, setting: Setting) {
    this.#state = state;
    this.#call = call;
    this.#process = process;
    this.#setting = setting;
  }

  /** The attempt made a draw, and nobody has touched it since. */
  ofOpen(attempt: Attempt, answer: Answer): void {
    const { rules } = this.#setting;
    if (answer.kind === "denied") this.#deny(attempt);
    else if (answer.kind === "refused") this.#release(attempt, "released");
    else if (answer.kind === "declined") {
      if (rules.declineEnds) this.#call.ended = true;
      if (!rules.declineEnds && answer.replayed) attempt.state = "unresolved";
      else this.#release(attempt, "released");
    } else if (this.#call.payer !== null) this.#release(attempt, "paid_by_other");
    else if (answer.kind === "unknown" && this.#call.ended) this.#release(attempt, "released");
    else if (answer.kind === "unknown") attempt.state = "unresolved";
    else if (answer.replayed && !this.#othersMayBeSent()) this.#release(attempt, "released");
    else this.#settle(this.#process.id, attempt);
  }

  #deny(attempt: Attempt): void {
    const { draws } = this.#process;
    const keysOf = (kind: string) => attempt.chain.filter((key) => draws[key] === kind);
    attempt.state = "denied";
    attempt.ambiguous = keysOf("ambiguous");
    this.#giveBack(attempt, attempt.amount, keysOf("drawn"));
  }

  #othersMayBeSent = (): boolean =>
    ownAttempts(this.#call).some(
      ([id, { state, noted }]) =>
        id !== this.#process.id && noted && (state === "open" || state === "unresolved"),
    );

  /** The resolver, or another attempt, has moved it meanwhile: others may have joined it. */
  ofMoved(attempt: Attempt, answer: Answer): void {
    const { rules } = this.#setting;
    if (!rules.movedReportsNothing && answer.kind === "denied") this.#deny(attempt);
    if (attempt.state !== "unresolved") return;
    if (answer.kind === "denied" || answer.kind === "refused") {
      if (this.#call.joiners === 0 || !rules.movedReleasesAlone) this.#release(attempt, "released");
    } else if (answer.kind === "executed") {
      if (this.#call.payer !== null) return;
      if (rules.movedPays || !answer.replayed || this.#othersMayBeSent())
        this.#settle(this.#process.id, attempt);
      else this.#release(attempt, "released");
    } else if (answer.kind === "declined") this.#decline();
  }

  /** The attempt made no draw: it uses one that is held. */
  ofJoiner(attempt: Attempt, answer: Answer): void {
    const { rules } = this.#setting;
    attempt.state = answer.kind === "denied" ? "denied" : "joined";
    if (answer.kind === "executed") this.#joinerExecuted(attempt, answer.replayed);
    else if (answer.kind === "declined") this.#decline();
    else if (answer.kind === "refused" && rules.joinerReleases && this.#call.payer === null) {
      for (const [, other] of ownAttempts(this.#call)) {
        if (other.state === "open" || other.state === "unresolved") this.#release(other, "released");
      }
    }
  }

  #joinerExecuted(attempt: Attempt, replayed: boolean): void {
    const { rules } = this.#setting;
    const held = unresolvedOf(this.#call)[0];
    const payer = this.#call.payer === null ? null : attemptOf(this.#call, this.#call.payer);
    if (payer !== null) {
      if (!replayed && attempt.settledAtJoin) this.#force(attempt);
      else if (replayed && rules.replayIsFree && payer.state === "settled") this.#settleAtNothing(payer);
    } else if (rules.joinerCountsAnew && !replayed) this.#force(attempt);
    else if (rules.replayIsFree && replayed && held !== undefined) this.#release(held[1], "released");
    else if (held === undefined) this.#force(attempt);
    else this.#settle(...held);
  }

  /** The vendor declined what is unresolved, and stored that: nothing of the call moves money any more. */
  #decline(): void {
    if (!this.#setting.rules.declineEnds || this.#call.payer !== null) return;
    this.#call.ended = true;
    for (const [, held] of unresolvedOf(this.#call)) this.#release(held, "released");
  }

  #release(attempt: Attempt, to: AttemptState): void {
    attempt.state = to;
    this.#giveBack(attempt, attempt.amount, attempt.chain);
  }

  #settle(id: string, attempt: Attempt): void {
    const { price, latePrice } = this.#setting;
    attempt.state = "settled";
    attempt.cost = price;
    this.#call.payer = id;
    this.#call.late = latePrice !== null;
    this.#giveBack(attempt, attempt.amount - price, attempt.chain);
  }

  #settleAtNothing(payer: Attempt): void {
    payer.state = "released";
    this.#call.payer = null;
    this.#giveBack(payer, payer.cost, payer.chain);
  }

  /** Counts what was executed without a reservation. */
  #force(attempt: Attempt): void {
    attempt.cost = this.#setting.price;
    this.#giveBack(attempt, -attempt.cost, attempt.chain);
    if (this.#setting.rules.vendorForgetsLate && !this.#setting.rules.joinerCountsAnew)
      this.#state.broken.push("1: the vendor executed again without a reservation");
  }

  #giveBack({ window }: Pick<Attempt, "window">, amount: number, keys: readonly string[]): void {
    if (amount === 0) return;
    for (const key of keys) {
      const id = `b${this.#process.id}${this.corrections.length}${key}`;
      this.corrections.push(decide(this.#call, { id, key, window, amount, issuedAt: this.#state.clock }));
    }
  }
}

/** Puts a correction on the record; returns the write that its decider sends. */
export function decide(call: Call, { id, ...correction }: Omit<Write, "op">): Write {
  call.corrections[id] = correction;
  return { op: "back", id, ...correction };
}

export function callOf(state: State, name: string): Call {
  const call = state.calls[name];
  if (call === undefined) throw new Error(`no call ${name}`);
  return call;
}

export function attemptOf(call: Call, id: string): Attempt {
  const attempt = call.attempts[id];
  if (attempt === undefined) throw new Error(`no attempt ${id}`);
  return attempt;
}
