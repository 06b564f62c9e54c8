import { apply, balanceOf } from "./balance.ts";
import { consumerSteps } from "./consumer.ts";
import { latePriceSteps, verdictSteps } from "./outside.ts";
import { requestSteps, start } from "./request.ts";
import { resolverSteps } from "./resolver.ts";
import { isLive, type Process, requestOf, type Setting, type State } from "./state.ts";
import { type Step, Steps } from "./step.ts";
import { vendorSteps } from "./vendor.ts";

/** Everything that may happen next. Nothing left means that all is quiet; only then runs that were stopped are resumed. */
export function stepsFrom(state: State, setting: Setting): readonly Step[] {
  const steps = new Steps(state);
  requestSteps(steps, setting);
  limboSteps(steps, setting);
  vendorSteps(steps, setting);
  worldSteps(steps, setting);
  consumerSteps(steps, setting);
  latePriceSteps(steps, setting);
  verdictSteps(steps, setting);
  resolverSteps(steps, setting);
  if (steps.found.length === 0) {
    const index = state.processes.findIndex(({ at, id }) => at === "start" && requestOf(setting, id).resumes);
    const resumed = state.processes[index];
    if (resumed !== undefined) start(steps, index, requestOf(setting, resumed.id), setting);
  }
  return steps.found;
}

/** A write without an answer lands after all, or never. */
function limboSteps(steps: Steps, setting: Setting): void {
  for (const [index, write] of steps.before.limbo.entries()) {
    steps.add(`late: ${write.op} ${write.id} lands on ${write.key}`, (state) => {
      state.limbo.splice(index, 1);
      apply(state, write, setting);
    });
    steps.add(`late: ${write.op} ${write.id} never lands on ${write.key}`, (state) => {
      state.limbo.splice(index, 1);
    });
  }
}

/** Windows end, keys are revoked, records age, the vendor forgets, and leases end. */
function worldSteps(steps: Steps, setting: Setting): void {
  const { faults, processes, aged } = steps.before;
  const isBusy = processes.some(isLive);
  if (faults.roll > 0 && isBusy && !processes.some((one) => drawsTooLate(one, steps.before, setting))) {
    steps.add("a window ends", (state) => {
      state.faults.roll--;
      state.window++;
    });
  }
  if (faults.tick > 0 && isBusy) {
    steps.add("leases end", (state) => {
      state.faults.tick--;
      state.clock++;
    });
  }
  const { revocable } = setting;
  if (faults.revoke > 0 && revocable !== null) {
    steps.add(`${revocable} is revoked`, (state) => {
      state.faults.revoke--;
      balanceOf(state, revocable).revoked = true;
    });
  }
  if (faults.age > 0) {
    steps.add("records become too old to be joined", (state) => {
      state.faults.age--;
      state.aged++;
    });
  }
  const forgets = forgettable(steps.before, setting);
  if (faults.forget > 0 && forgets.length > 0 && (aged > 0 || !setting.rules.vendorForgetsLate)) {
    steps.add("the vendor forgets its keys", (state) => {
      state.faults.forget--;
      for (const key of forgets) delete state.vendor.keys[key];
    });
  }
}

/** An attempt lives for seconds and a window for a day: none draws from a window that was dropped meanwhile. */
const drawsTooLate = ({ at, window }: Process, state: State, { windowsKept }: Setting): boolean =>
  (at === "draw" || state.limbo.some(({ op }) => op === "draw")) && window <= state.window + 1 - windowsKept;

function forgettable(state: State, { rules }: Setting): readonly string[] {
  const { keys, inbox, running } = state.vendor;
  const done = Object.entries(keys).filter(([, key]) => !key.running);
  if (!rules.vendorForgetsLate) return done.map(([key]) => key);
  const mayBeUsed =
    state.processes.some((one) => isLive(one) && one.aged < state.aged) || inbox.length + running.length > 0;
  return mayBeUsed ? [] : done.filter(([, { aged }]) => aged < state.aged).map(([key]) => key);
}
