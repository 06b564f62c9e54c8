import { callVendor, type Exchange } from "./call-vendor.ts";
import type { Joined } from "./claim.ts";
import { outOfTime, vendorTimeMs } from "./deadlines.ts";
import { type Denial, denialWithoutRow, problemOf } from "./denials.ts";
import { WITHHELD } from "./no-answer.ts";
import type { ProxyPorts } from "./proxy-ports.ts";
import type { Recorded } from "./record-free-call.ts";
import type { Reserved } from "./reserve.ts";

/** A call that may be sent: what it can cost is held, or it costs nothing. */
export type Ready = Reserved | Joined | Recorded;

/** A call that its vendor may have executed. */
export interface Sent<Call extends Ready = Ready> {
  readonly kind: "sent";
  readonly ready: Call;
  readonly exchange: Exchange;
  readonly vendorMs: number;
}

type SendPorts = Pick<ProxyPorts, "http" | "credentials" | "clock" | "destinationOf" | "warn">;

/** The same method, path and body with our own credential. Once a byte may have left, an error is an unknown outcome. */
export async function send(ready: Ready, ports: SendPorts): Promise<Sent | Denial> {
  const { row, request, call } = ready;
  const late = outOfTime(request, ports.clock.now());
  if (late !== null) {
    const denied = { kind: "denied", problem: late, row, record: ready.record } as const;
    return ready.kind === "reserved"
      ? { ...denied, writes: "give_back", reservation: ready.reservation }
      : { ...denied, writes: "outcome", leaf: ready.leaf };
  }
  try {
    const startMs = ports.clock.now();
    const timeoutMs = vendorTimeMs(request, ports.clock.now());
    const exchange = await callVendor(call, { policy: row.policy, timeoutMs }, ports);
    const vendorMs = ports.clock.now() - startMs;
    warnOf(exchange, ports);
    return { kind: "sent", ready, exchange, vendorMs };
  } catch (error) {
    return denialWithoutRow(row, problemOf(error, "unknown"));
  }
}

/** What an operator should know, and a row does not say. */
function warnOf({ reply, withheld }: Exchange, { warn }: SendPorts): void {
  if (reply.kind === "unreachable" || reply.kind === "broken")
    warn(`the vendor's connection was ${reply.kind}`, reply.cause);
  if (withheld !== null) warn(`the vendor's answer ${WITHHELD[withheld]}, so it was withheld`, null);
}
