import { apply } from "./balance.ts";
import { attemptOf, callOf, claim, drawIdOf, othersHold, putUnclaimed, writeOutcome } from "./call.ts";
import {
  isLive,
  type Process,
  type Request,
  requestOf,
  type Setting,
  type State,
  type Write,
} from "./state.ts";
import type { Steps } from "./step.ts";

/** What the process of each request may do next (W1 to W6). A process may die, or rest for as long as it likes, at any step. */
export function requestSteps(steps: Steps, setting: Setting): void {
  for (const [index, process] of steps.before.processes.entries()) {
    const request = requestOf(setting, process.id);
    const step = (what: string, change: (state: State, process: Process) => void) =>
      steps.add(`${process.id}: ${what}`, (state) => change(state, processAt(state, index)));
    if (isLive(process) && steps.before.faults.crash > 0) {
      step("dies", (state, dying) => {
        state.faults.crash--;
        finish(state, dying);
      });
    }
    if (process.at === "start") startStep(steps, index, request, setting);
    else if (process.at === "draw") drawSteps(steps, process, step, request, setting);
    else if (process.at === "forward")
      step("sends to the vendor", (state, it) => forward(state, it, request, setting));
    else if (process.at === "vendor") answerSteps(steps, process, step);
    else if (process.at === "outcome") {
      const { kind, ...more } = process.answer ?? { kind: "nothing" };
      step(`writes its outcome: ${kind} ${Object.values(more).join(" ")}`, (state, it) => {
        it.corrections = writeOutcome(state, it, setting);
        it.repeated = false;
        it.at = it.corrections.length > 0 ? "correct" : "done";
        if (it.at === "done") finish(state, it);
      });
    } else if (process.at === "correct") correctSteps(steps, process, step, setting);
    else if (process.at === "confirm") {
      step("takes acknowledged corrections off the record", (state, it) => {
        const call = callOf(state, it.call);
        for (const id of it.acknowledged) delete call.corrections[id];
        call.version++;
        finish(state, it);
      });
    }
  }
}

type Step = (what: string, change: (state: State, process: Process) => void) => void;

function processAt(state: State, index: number): Process {
  const process = state.processes[index];
  if (process === undefined) throw new Error(`no process ${index}`);
  return process;
}

/** The process does nothing any more: what only it knew is gone. */
function finish(state: State, process: Process): void {
  process.at = "done";
  process.answer = null;
  process.corrections = [];
  process.acknowledged = [];
  delete state.vendor.replies[process.id];
}

/** Of requests that are all alike, the first starts first: the others would only have other names. */
function startStep(steps: Steps, index: number, request: Request, setting: Setting): void {
  const alike = JSON.stringify(request);
  const isLater = steps.before.processes
    .slice(0, index)
    .some(({ at, id }) => at === "start" && JSON.stringify(requestOf(setting, id)) === alike);
  if (!isLater && !request.resumes) start(steps, index, request, setting);
}

/** Begins: claims or joins the call, where it has an idempotency key. */
export function start(steps: Steps, index: number, request: Request, setting: Setting): void {
  const { id } = processAt(steps.before, index);
  steps.add(`${id}: begins ${request.call}`, (state) => {
    const it = processAt(state, index);
    // An hour later every lease is over.
    if (request.resumes) state.clock++;
    it.issuedAt = state.clock;
    it.window = state.window;
    it.usesWindow = state.window;
    it.aged = state.aged;
    const what = request.keyed ? claim(state, it, request, setting) : "own";
    if (!request.keyed) putUnclaimed(state, it, request);
    if (what === "busy") {
      it.at = "done";
      if (request.resumes) state.broken.push("4: a run that is resumed is refused");
    } else if (what === "own") {
      it.at = "draw";
      it.draws = Object.fromEntries(request.chain.map((key) => [key, "sent"]));
    } else join(state, it, request, setting);
  });
}

/** A joiner reads the chain beside its write, and is sent without a draw. */
function join(state: State, it: Process, { chain }: Request, { rules }: Setting): void {
  const isRevoked = chain.some((key) => state.balances[key]?.revoked);
  if (isRevoked && rules.joinerReadsChain) {
    it.at = "outcome";
    it.answer = { kind: "denied", why: "revoked" };
    return;
  }
  if (isRevoked) state.broken.push("5: a call of a revoked key was sent");
  it.at = "forward";
}

/** The draws of the chain go out together: they may land in any order, also after the process died. */
function drawSteps(steps: Steps, process: Process, step: Step, request: Request, setting: Setting): void {
  for (const key of request.chain.filter((drawn) => process.draws[drawn] === "sent")) {
    const write: Write = {
      op: "draw",
      key,
      id: drawIdOf(process.id, process.call, setting),
      window: process.window,
      amount: request.amount,
      issuedAt: process.issuedAt,
    };
    step(`draws on ${key}`, (state, it) => {
      const landed = apply(state, write, setting);
      it.draws[key] = landed === "applied" ? "drawn" : "refused";
      if (landed === "cap") lacks(state, it, request, setting);
      if (landed !== "applied") it.answer = { kind: "denied", why: landed };
      allDrawn(it);
    });
    if (steps.before.faults.lost === 0) continue;
    step(`draws on ${key}, no answer`, (state, it) => {
      state.faults.lost--;
      state.limbo.push(write);
      if (setting.rules.drawIsRepeated && !it.repeated) it.repeated = true;
      else {
        it.draws[key] = "ambiguous";
        it.answer = { kind: "denied", why: "ambiguous" };
        allDrawn(it);
      }
    });
  }
}

function allDrawn(it: Process): void {
  if (!Object.values(it.draws).includes("sent")) it.at = it.answer === null ? "forward" : "outcome";
}

/** A draw did not fit. For a repeat of a call that holds budget this is a 409, to be repeated. */
function lacks(state: State, it: Process, request: Request, { rules }: Setting): void {
  if (request.resumes) state.broken.push("4: a run that is resumed needs a second budget");
  if (!rules.lackIsRepeatable && request.keyed && othersHold(callOf(state, it.call), it.id)) {
    state.broken.push("4: a retry is refused for a lack of budget, though its call holds budget");
  }
}

function forward(state: State, it: Process, request: Request, { rules, faults }: Setting): void {
  // Only where somebody may close a call does it matter that nothing is sent after the lease.
  if (faults.verdict > 0 && rules.keepsDeadline && state.clock > it.issuedAt) {
    it.at = "outcome";
    it.answer = { kind: "denied", why: "out of time" };
    return;
  }
  const attempt = attemptOf(callOf(state, it.call), it.id);
  if (it.own && attempt.state === "never_sent")
    state.broken.push("3: an attempt was sent that the resolver took for never sent");
  state.vendor.inbox.push({
    attempt: it.id,
    key: request.keyed ? request.call : null,
    call: it.call,
    window: it.usesWindow,
  });
  state.forwarded.push(it.id);
  it.at = "vendor";
}

function answerSteps(steps: Steps, process: Process, step: Step): void {
  const reply = steps.before.vendor.replies[process.id];
  if (reply !== undefined) {
    step("gets its answer", (state, it) => {
      it.answer = reply;
      it.at = "outcome";
      delete state.vendor.replies[it.id];
    });
  }
  if (steps.before.faults.timeout > 0) {
    step("waits no longer", (state, it) => {
      state.faults.timeout--;
      it.answer = { kind: "unknown" };
      it.at = "outcome";
      delete state.vendor.replies[it.id];
    });
  }
}

/** Sends the corrections that its outcome decided, each once. */
function correctSteps(steps: Steps, process: Process, step: Step, setting: Setting): void {
  const [write] = process.corrections;
  if (write === undefined) return;
  const next = (state: State, it: Process) => {
    it.corrections.shift();
    it.repeated = false;
    if (it.corrections.length > 0) return;
    it.at = "confirm";
    if (!setting.confirms || it.acknowledged.length === 0) finish(state, it);
  };
  step(`gives back ${write.amount} on ${write.key}`, (state, it) => {
    const landed = apply(state, write, setting);
    if (landed === "applied" || !setting.rules.dropsOnlyAcknowledged) it.acknowledged.push(write.id);
    next(state, it);
  });
  if (steps.before.faults.lost === 0) return;
  step(`gives back ${write.amount} on ${write.key}, no answer`, (state, it) => {
    state.faults.lost--;
    state.limbo.push(write);
    if (setting.rules.backIsRepeated && !it.repeated) it.repeated = true;
    else {
      if (!setting.rules.dropsOnlyAcknowledged) it.acknowledged.push(write.id);
      next(state, it);
    }
  });
}
