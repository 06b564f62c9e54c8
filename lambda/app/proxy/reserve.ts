import type { Balance } from "../../domain/balance.ts";
import { othersHold } from "../../domain/call/claim.ts";
import { rowCallId } from "../../domain/call/names.ts";
import type { CallRecord } from "../../domain/call/record.ts";
import { OBJECT_ENTRIES_MAX } from "../../domain/counted-object.ts";
import type { Problem } from "../../domain/problem.ts";
import { cut } from "../../domain/text.ts";
import type { Claimed } from "./claim.ts";
import { outOfTime } from "./deadlines.ts";
import { codeOf, objectFull, reservationProblem } from "./denial-messages.ts";
import { type Denial, denialWithoutRow, problemOf } from "./denials.ts";
import { drawChain, type Reservation } from "./draw-chain.ts";
import type { ProxyPorts } from "./proxy-ports.ts";
import type { PaidCall, Price } from "./quote.ts";
import { type Row, withWouldDeny } from "./row.ts";

/** The balance stays small: it is the hottest item. */
const NOTE_PATH_LENGTH_MAX = 200;

/** The worst price of the call is held, durably, for each key of the chain. */
export interface Reserved extends PaidCall {
  readonly kind: "reserved";
  readonly record: Claimed["record"];
  readonly reservation: Reservation;
  /** The key's balance after the draw. */
  readonly leaf: Balance | null;
}

/** Does the worst price fit? From the first draw on only its own outcome may end the attempt. */
export async function reserve(
  claimed: Claimed,
  ports: Pick<ProxyPorts, "vault" | "spending" | "clock">,
): Promise<Reserved | Denial> {
  const { row, record, request, price } = claimed;
  const { attempt } = row;
  const stopped = outOfTime(request, ports.clock.now()) ?? objectProblem(price);
  if (stopped !== null)
    return { kind: "denied", writes: "outcome", problem: stopped, row, record, leaf: null };

  const note = {
    callId: rowCallId(record.callId),
    method: request.method,
    path: cut(attempt.request.path, NOTE_PATH_LENGTH_MAX),
    isRecorded: record.version > 0,
  };
  try {
    const reservation = await drawChain(row, note, ports);
    const drawn = { ...row, uncounted: reservation.uncounted };
    if (reservation.refusals.length === 0 && reservation.drawn.length === attempt.windows.length) {
      const told = withObserved(drawn, reservation, record);
      return { ...claimed, kind: "reserved", row: told, reservation, leaf: reservation.leaf };
    }
    const problem = await reservationProblem(
      reservation,
      { requested: attempt.amount, explanation: price.quote.explanation, nowMs: ports.clock.now() },
      ports.spending,
    );
    return { kind: "denied", writes: "give_back", problem, row: drawn, record, reservation };
  } catch (error) {
    return denialWithoutRow(row, problemOf(error, "no"));
  }
}

/** What members that only observe would have answered, as those that enforce do: a rate comes before what the request is. */
function withObserved(row: Row, { wouldRefuse }: Reservation, record: CallRecord): Row {
  const [reason] = wouldRefuse;
  if (reason === undefined) return row;
  if (row.wouldDeny !== null && wouldRefuse.includes("rate")) return { ...row, wouldDeny: "rate_limited" };
  return withWouldDeny(row, codeOf(reason, othersHold(record, row.attempt.attemptId)));
}

/** What is free or gives back stays possible: only a draw may add an entry to what the object is counted by. */
const objectProblem = ({ known: { object }, quote }: Price): Problem | null =>
  object === null || object.entries.length < OBJECT_ENTRIES_MAX || quote.amount === 0n
    ? null
    : objectFull(object);
