import { apply, balanceOf } from "./balance.ts";
import { attemptOf, callOf, decide, drawIdOf, ownAttempts } from "./call.ts";
import { evidenceSince, isShown } from "./consumer.ts";
import type { Attempt, Call, Correction, Setting, State, Write } from "./state.ts";
import { copy, type Steps } from "./step.ts";

/** What the resolver may do next (W8): for each loose end raise a fence, and decide once the evidence is whole. */
export function resolverSteps(steps: Steps, setting: Setting): void {
  const { before } = steps;
  for (const [name, call] of Object.entries(before.calls)) {
    for (const [id, attempt] of ownAttempts(call)) {
      if (isLoose(call, id, attempt) && isKnown(before, name, id, attempt, setting))
        finishStep(steps, name, id, attempt, setting);
    }
    for (const [id, correction] of Object.entries(call.corrections))
      redoStep(steps, name, id, correction, setting);
  }
  outboxSteps(steps, setting);
}

/** No outcome, ambiguous draws, or a draw that is held though another attempt pays or the call ended. */
function isLoose(call: Call, id: string, { state, ambiguous }: Attempt): boolean {
  const isOver = call.ended || (call.payer !== null && call.payer !== id);
  return state === "open" || ambiguous.length > 0 || (state === "unresolved" && isOver);
}

/** An attempt is known by its record; without one by its draws on the stream. */
function isKnown(
  state: State,
  name: string,
  id: string,
  { noted, chain }: Attempt,
  setting: Setting,
): boolean {
  const told = setting.rules.anyDrawIsKnown ? chain : chain.slice(0, 1);
  return noted || told.some((key) => isShown(state, key, drawIdOf(id, name, setting), setting));
}

function finishStep(steps: Steps, name: string, id: string, attempt: Attempt, setting: Setting): void {
  const drawn = drawnOf(steps.before, name, id, attempt, setting);
  if (drawn === null) {
    wait(steps, attempt.chain, attempt.issuedAt, setting);
    return;
  }
  compareAndSet(steps, `resolver: finishes ${id} of ${name}`, name, setting.rules.compares, (state, call) => {
    state.outbox.push(...finish(state, call, id, drawn, setting));
  });
}

/** The keys of the chain that were drawn from; null while that is not certain. */
function drawnOf(
  state: State,
  name: string,
  id: string,
  attempt: Attempt,
  setting: Setting,
): readonly string[] | null {
  const { rules } = setting;
  if (!rules.usesEvidence) return state.clock > attempt.issuedAt ? attempt.chain : null;
  const looked = rules.looksAtWholeChain ? attempt.chain : attempt.chain.slice(0, 1);
  const first = Math.min(...ownAttempts(callOf(state, name)).map(([, { issuedAt }]) => issuedAt));
  const since = rules.fenceCoversEach ? attempt.issuedAt : first;
  const evidence = looked.map((key) => evidenceSince(state, key, since, setting));
  if (evidence.includes(null)) return null;
  const drawn = looked.filter((_, index) => evidence[index]?.has(drawIdOf(id, name, setting)));
  return drawn.length === looked.length ? attempt.chain : drawn;
}

/** What becomes of a loose attempt, and the give-backs that this decides (W8.3). */
function finish(state: State, call: Call, id: string, drawn: readonly string[], { rules }: Setting): Write[] {
  const attempt = attemptOf(call, id);
  const back = (keys: readonly string[]): Write[] =>
    keys.map((key) =>
      decide(call, {
        id: `r${id}${key}`,
        key,
        window: attempt.window,
        amount: attempt.amount,
        issuedAt: state.clock,
      }),
    );
  attempt.noted = true;
  if (call.lease?.by === id) call.lease = null;
  if (attempt.state === "denied") {
    const landed = attempt.ambiguous.filter((key) => !rules.returnsOnlyLanded || drawn.includes(key));
    attempt.ambiguous = [];
    return back(landed);
  }
  const paidByOther = call.payer !== null && call.payer !== id;
  if (attempt.state === "open" && drawn.length < attempt.chain.length) {
    if (state.forwarded.includes(id))
      state.broken.push("3: an attempt was sent, and is taken for never sent");
    attempt.state = "never_sent";
    return back(rules.returnsOnlyDrawn ? drawn : attempt.chain);
  }
  if (paidByOther || call.ended || !rules.holdsComplete) {
    attempt.state = paidByOther ? "paid_by_other" : "released";
    return rules.returnsCovered ? back(attempt.chain) : [];
  }
  attempt.state = "unresolved";
  return [];
}

/** A correction that certainly did not land is sent again, under a new name (W8.4). */
function redoStep(steps: Steps, name: string, id: string, correction: Correction, setting: Setting): void {
  const { before } = steps;
  const { rules } = setting;
  if (isSentAgain(before, name, id, setting)) return;
  const known = landedSince(before, correction, setting);
  if (known === null) {
    wait(steps, [correction.key], correction.issuedAt, setting);
  } else if (!rules.looksForCorrection || !known.has(id)) {
    if (rules.notesRedo) redo(steps, name, id, correction, setting);
    else redoWithoutNote(steps, id, correction, setting);
  }
}

/** Whether it needs no look: it landed, or it is the resolver's own and under way. Only one look of many ends so. */
function isSentAgain(state: State, name: string, id: string, setting: Setting): boolean {
  const { rules } = setting;
  const isRedone = id.endsWith("'");
  if (isRedone && (!rules.usesEvidence || !rules.looksForCorrection)) return true;
  if (isRedone && state.outbox.some((write) => write.id === id)) return true;
  const key = callOf(state, name).corrections[id]?.key ?? "";
  return rules.usesEvidence && rules.looksForCorrection && isShown(state, key, id, setting);
}

/** The names of the writes that landed; null while they are not certain. By age, nothing is taken for landed. */
function landedSince(
  state: State,
  { key, issuedAt }: Correction,
  setting: Setting,
): ReadonlySet<string> | null {
  if (setting.rules.usesEvidence) return evidenceSince(state, key, issuedAt, setting);
  return state.clock > issuedAt ? new Set() : null;
}

function redo(steps: Steps, name: string, id: string, correction: Correction, setting: Setting): void {
  const { rules } = setting;
  const again = `${id}'`;
  compareAndSet(steps, `resolver: decides ${again} for ${id}`, name, rules.compares, (state, call) => {
    delete call.corrections[id];
    const window = rules.redoKeepsWindow ? correction.window : state.window;
    state.outbox.push(decide(call, { ...correction, id: again, window, issuedAt: state.clock }));
  });
}

/** Without a note on the record, whoever looks again finds the first name only, and sends once more. */
function redoWithoutNote(steps: Steps, id: string, correction: Correction, setting: Setting): void {
  const { before } = steps;
  const again = [`${id}'`, `${id}''`].find(
    (name) =>
      ![...before.outbox, ...before.limbo].some((write) => write.id === name) &&
      !isShown(before, correction.key, name, setting),
  );
  if (again === undefined) return;
  steps.add(`resolver: decides ${again} for ${id}`, (state) => {
    state.outbox.push({ op: "back", id: again, ...correction, issuedAt: state.clock });
  });
}

/** Raises the fence of each key that needs it, so that nothing decided until then can land any more (W8.1). */
function wait(steps: Steps, keys: readonly string[], issuedAt: number, setting: Setting): void {
  const { clock } = steps.before;
  if (!setting.rules.usesEvidence || !setting.rules.raisesFence) {
    if (clock > issuedAt || clock > 3) return;
    steps.add("time passes", (state) => {
      state.clock++;
    });
    return;
  }
  for (const key of keys.filter((some) => balanceOf(steps.before, some).fence < issuedAt)) {
    steps.add(`resolver: fence of ${key} at ${issuedAt}`, (state) => {
      apply(state, { op: "fence", key, id: "fence", window: 0, amount: 0, issuedAt }, setting);
      state.clock = Math.max(state.clock, issuedAt + 1);
    });
  }
}

/**
 * A write of a record that its version decides. Reading and writing are one step: where the record changed in between, the
 * write fails and nothing happened. Without the comparison they are two, and the second overwrites what came between.
 */
export function compareAndSet(
  steps: Steps,
  what: string,
  name: string,
  compares: boolean,
  change: (state: State, call: Call) => void,
): void {
  const set = (state: State) => {
    const call = callOf(state, name);
    call.version++;
    change(state, call);
  };
  if (compares) {
    steps.add(what, set);
    return;
  }
  if (steps.before.blind.some((other) => other.what === what)) return;
  const after = copy(steps.before);
  set(after);
  const writes = after.outbox.slice(steps.before.outbox.length);
  steps.add(`${what} (reads)`, (state) => {
    state.blind.push({ what, call: name, record: callOf(after, name), writes });
  });
}

/** Sends what the resolver decided, once: it may be lost, or the resolver may die first. Blind writes as well. */
function outboxSteps(steps: Steps, setting: Setting): void {
  const { outbox, blind, faults } = steps.before;
  for (const [index, write] of outbox.entries()) {
    const what = `resolver: ${write.id} of ${write.amount} on ${write.key}`;
    const step = (how: string, change: (state: State) => void) =>
      steps.add(`${what} ${how}`, (state) => {
        state.outbox.splice(index, 1);
        change(state);
      });
    step("is sent", (state) => apply(state, write, setting));
    if (faults.lost > 0) {
      step("gets no answer", (state) => {
        state.faults.lost--;
        state.limbo.push(write);
      });
    }
    if (faults.crash > 0) {
      step("is not sent: the resolver dies", (state) => {
        state.faults.crash--;
      });
    }
  }
  for (const [index, { what, call, record, writes }] of blind.entries()) {
    steps.add(`${what} (writes)`, (state) => {
      state.blind.splice(index, 1);
      state.calls[call] = copy(record);
      state.outbox.push(...copy(writes));
    });
  }
}
