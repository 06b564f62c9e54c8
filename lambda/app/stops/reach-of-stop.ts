import type { Balance } from "../../domain/balance.ts";
import { exposureOfAll } from "../../domain/exposure.ts";
import type { ListedKey } from "../../domain/key-list.ts";
import type { MicroUsd } from "../../domain/money.ts";
import type { StopMatcher } from "../../domain/stop.ts";
import { listsFor } from "../../domain/stop-lists.ts";
import type { SweepPlace } from "../../domain/stop-record.ts";
import type { Vault } from "../../ports/vault.ts";
import { type AftermathPorts, inFlightOf, type OpenCalls } from "./after-stop.ts";
import { isLive, stoppedKeysAt } from "./stopped-keys.ts";

/** What a stop would reach if it were ordered now. */
export interface Reach {
  /** Live keys that it would revoke. */
  readonly keys: number;
  /** Their labels; keys without one count as one run. */
  readonly runs: number;
  /** The most that they may still spend together. Micro-dollars. */
  readonly exposure: MicroUsd;
  readonly inFlight: OpenCalls;
  /** False where there was no time to read every key: the numbers are too low then. */
  readonly isComplete: boolean;
}

interface Ports extends AftermathPorts {
  readonly vault: Pick<Vault, "policies" | "listedKeys" | "balances">;
}

/** Reads what a stop would reach and changes nothing. `untilMs`: when to stop reading, in milliseconds. */
export async function reachOf(matcher: StopMatcher, untilMs: number, ports: Ports): Promise<Reach> {
  const { vault, clock, vendors } = ports;
  const wanted = { lists: listsFor(matcher, vendors), matcher };
  const keys = new Map<string, ListedKey>();
  const balances = new Map<string, Balance>();
  let place: SweepPlace | null = { list: 0, before: null };
  while (place !== null && clock.now() < untilMs) {
    const { found, next } = await stoppedKeysAt(place, wanted, vault);
    for (const each of found) {
      if (!isLive(each, clock.now())) continue;
      keys.set(each.key.keyId, each.key);
      balances.set(each.key.keyId, each.balance);
    }
    place = next;
  }
  const listed = [...keys.values()];
  const above = [...new Set(listed.flatMap(({ chain }) => chain))].filter((keyId) => !balances.has(keyId));
  for (const [at, balance] of (await vault.balances.read(above)).entries())
    if (balance !== null) balances.set(above[at] ?? "", balance);
  return {
    keys: listed.length,
    runs: new Set(listed.map(({ label }) => label)).size,
    exposure: exposureOfAll(listed, balances, clock.now()),
    inFlight: await inFlightOf(matcher, ports),
    isComplete: place === null,
  };
}
