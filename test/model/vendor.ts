import type { Answer, AtVendor, Faults, Setting, State } from "./state.ts";
import { requestOf } from "./state.ts";
import type { Steps } from "./step.ts";

/** What the vendor may do with the requests that reached it. It stores results by idempotency key, where it honours one. */
export function vendorSteps(steps: Steps, setting: Setting): void {
  const { rules } = setting;
  const { inbox, running, keys } = steps.before.vendor;
  for (const [index, request] of inbox.entries()) {
    const known = request.key !== null && rules.vendorHonoursKey ? keys[request.key] : undefined;
    const step = (what: string, change: (state: State) => void) =>
      steps.add(`vendor: ${what} ${request.attempt}`, (state) => {
        state.vendor.inbox.splice(index, 1);
        change(state);
      });
    if (known?.running) step("answers 409 to", (state) => reply(state, request, { kind: "refused" }));
    else if (known !== undefined && (known.result === "executed" || !rules.vendorRerunsFailures)) {
      step("replays to", (state) => reply(state, request, replayed(known.result)));
    } else {
      step("begins", (state) => {
        if (request.key !== null) {
          state.vendor.keys[request.key] = { running: true, result: "unknown", aged: state.aged };
        }
        state.vendor.running.push(request);
      });
      if (steps.before.faults.refuse > 0) {
        step("answers 429 to", (state) => {
          state.faults.refuse--;
          reply(state, request, { kind: "refused" });
        });
      }
    }
  }
  for (const [index, request] of running.entries()) endSteps(steps, index, request, setting);
}

const replayed = (result: "executed" | "declined" | "unknown"): Answer =>
  result === "unknown" ? { kind: "unknown" } : { kind: result, replayed: true };

function endSteps(steps: Steps, index: number, request: AtVendor, setting: Setting): void {
  const end = (what: string, answer: Answer, charges: boolean, fault: keyof Faults | null) => {
    if (fault !== null && steps.before.faults[fault] === 0) return;
    steps.add(`vendor: ${what} ${request.attempt}`, (state) => {
      if (fault !== null) state.faults[fault]--;
      state.vendor.running.splice(index, 1);
      const result = answer.kind === "executed" || answer.kind === "declined" ? answer.kind : "unknown";
      if (request.key !== null) {
        const aged = state.vendor.keys[request.key]?.aged ?? state.aged;
        state.vendor.keys[request.key] = { running: false, result, aged };
      }
      if (charges) {
        const { chain } = requestOf(setting, request.attempt);
        const { attempt, call, window } = request;
        state.vendor.charges.push({ attempt, call, window, chain, price: setting.price });
      }
      reply(state, request, answer);
    });
  };
  end("charges", { kind: "executed", replayed: false }, true, null);
  end("declines", { kind: "declined", replayed: false }, false, "decline");
  end("charges, and answers 500 to", { kind: "unknown" }, true, "error");
  end("answers 500 to", { kind: "unknown" }, false, "error");
}

/** An answer reaches its process only while that waits for it. */
function reply(state: State, { attempt }: AtVendor, answer: Answer): void {
  const process = state.processes.find(({ id }) => id === attempt);
  if (process?.at === "vendor") state.vendor.replies[attempt] = answer;
}
