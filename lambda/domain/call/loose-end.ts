import type { BalanceWrite } from "../balance-write.ts";
import type { Attempt, CallRecord } from "./record.ts";

/**
 * Something of a call that has begun and has to end: a correction that was decided and has to land, a draw of which it is not
 * known whether it landed, an outcome that is unknown. An attempt itself is one too; the audit log tells its beginning.
 */
export interface LooseEnd {
  /** Names it; the same when it begins and when it ends. */
  readonly id: string;
  readonly recordId: string;
}

export interface LooseEnds {
  readonly begun: readonly LooseEnd[];
  readonly ended: readonly string[];
}

/** The loose ends that a change of a call's record begins and ends. */
export function looseEndsOf(before: CallRecord | null, after: CallRecord): LooseEnds {
  const [were, are] = [before === null ? [] : idsIn(before), idsIn(after)];
  return {
    begun: are.filter((id) => !were.includes(id)).map((id) => ({ id, recordId: after.callId })),
    ended: were.filter((id) => !are.includes(id)),
  };
}

/** The loose end that a write of a balance ends, if it does. */
export const endedBy = ({ id, isCorrection }: BalanceWrite): readonly string[] =>
  id !== null && isCorrection ? [id] : [];

const idsIn = ({ attempts, corrections }: CallRecord): readonly string[] => [
  ...Object.keys(corrections),
  ...Object.values(attempts).flatMap(endsOf),
];

const endsOf = ({ attemptId, ambiguous, kind, state }: Attempt): readonly string[] => [
  ...(ambiguous.length > 0 ? [`${attemptId}?`] : []),
  ...(kind === "own" && state === "unresolved" ? [`${attemptId}~`] : []),
];
