import { setTimeout as sleep } from "node:timers/promises";
import type { Fault } from "./faults.ts";
import type { Answer, Reply } from "./reply.ts";

/**
 * What a request will come to, if nothing goes wrong. Nothing has happened yet.
 *
 * - `ready`: the answer is there already: a refusal, or one remembered.
 * - `execution`: `execute` changes the account at once, in one go. `begin` is called as soon as it is certain that the
 *   request goes that far, before any wait; `abandon` in place of `execute`, when the vendor fails before it.
 */
export type Plan =
  | { readonly kind: "ready"; readonly answer: Answer }
  | {
      readonly kind: "execution";
      readonly execute: () => Answer;
      readonly begin?: () => void;
      readonly abandon?: () => void;
    };

export interface PlanOptions {
  /** The vendor's 429, and its own failure, which does not tell whether anything happened. */
  readonly rateLimited: () => Answer;
  readonly failed: () => Answer;
  /** Before every execution. */
  readonly latencyMs: number;
  /** Ends all waiting. */
  readonly closed: AbortSignal;
}

/** Carries out a plan, as far as the fault lets it. All that leads up to the first wait is done at once. */
export async function carryOut(plan: Plan, fault: Fault | null, options: PlanOptions): Promise<Reply> {
  if (fault?.kind === "429") return answered(options.rateLimited());
  if (fault?.kind === "hang") return { kind: "silence" };
  if (fault?.kind === "break_before") return { kind: "break" };

  if (plan.kind === "execution") plan.begin?.();
  const latencyMs = plan.kind === "execution" ? options.latencyMs : 0;
  const delayMs = latencyMs + (fault?.kind === "slow" ? fault.ms : 0);
  if (delayMs > 0 && !(await waited(delayMs, options.closed))) return { kind: "silence" };

  const answer = answerOf(plan, fault, options);
  if (fault?.kind === "hang_after") return { kind: "silence" };
  if (fault?.kind === "break_after") return { kind: "break" };
  return answered(answer);
}

function answerOf(plan: Plan, fault: Fault | null, { failed }: PlanOptions): Answer {
  if (plan.kind === "ready") return plan.answer;
  if (fault?.kind === "500_before") {
    plan.abandon?.();
    return failed();
  }
  const answer = plan.execute();
  return fault?.kind === "500_after" ? failed() : answer;
}

/** Waits; false when the simulator was closed meanwhile. */
async function waited(delayMs: number, closed: AbortSignal): Promise<boolean> {
  try {
    await sleep(delayMs, undefined, { signal: closed });
    return true;
  } catch (error) {
    if (closed.aborted) return false;
    throw error;
  }
}

const answered = (answer: Answer): Reply => ({ kind: "answer", ...answer });
