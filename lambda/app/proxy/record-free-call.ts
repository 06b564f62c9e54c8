import type { Balance } from "../../domain/balance.ts";
import { type CallRecord, newCall, withAttempt } from "../../domain/call/record.ts";
import { checkIn } from "./check-in.ts";
import { type Denial, denialOnOwnRecord, problemOf } from "./denials.ts";
import type { ProxyPorts } from "./proxy-ports.ts";
import type { FreeCall } from "./quote.ts";

/** A free call that is on its record. */
export interface Recorded extends FreeCall {
  readonly kind: "recorded";
  readonly record: CallRecord;
  readonly leaf: Balance | null;
}

/**
 * What stands in the place of a reservation where a call takes nothing. It takes from no balance, so its chain is read
 * consistently before anything is sent, and counted where it has a rate: revocation and expiry hold for reads too. Its record is durable first, so that none
 * goes unseen.
 */
export async function recordFreeCall(
  free: FreeCall,
  ports: Pick<ProxyPorts, "vault" | "clock">,
): Promise<Recorded | Denial> {
  const { vault } = ports;
  const { request, row, call } = free;
  const attempt = { ...row.attempt, kind: "free" } as const;
  const record = withAttempt(newCall(row.recordId, attempt.issuedAtMs), attempt, null);
  try {
    // Nobody else knows the id, so a record that is there already is an earlier send of this very put.
    const [, seen] = await Promise.all([vault.calls.save(record, 0, null), checkIn(row, ports)]);
    const { problem, leaf } = seen;
    return problem === null
      ? { kind: "recorded", request, row: seen.row, call, record, leaf }
      : { kind: "denied", writes: "outcome", problem, row: seen.row, record, leaf };
  } catch (error) {
    return denialOnOwnRecord(row, problemOf(error, "no"));
  }
}
