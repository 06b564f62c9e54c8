import type { Balance, Correction, Draw } from "../../lambda/domain/balance.ts";
import type { CountedObject } from "../../lambda/domain/counted-object.ts";
import type { Policy } from "../../lambda/domain/vault-key.ts";
import type {
  AttemptNote,
  CorrectionResult,
  DrawResult,
  KeyChange,
  SaveResult,
  Vault,
} from "../../lambda/ports.ts";
import type { VaultState } from "../support/memory-vault.ts";
import type { Process, World } from "./world.ts";

/** Sends of the SDK's `standard` retry mode, the first included. */
const SENDS_MAX = 3;

/**
 * The vault as one process reaches it: `DynamoVault` over a network that loses and delays.
 *
 * What the adapter does about an answer that does not tell is done here in the same way. Writes of a balance are sent
 * once: a draw is probed by one read, a correction is left alone. All other writes are repeated by the SDK, so that a
 * repeat meets what its own first send has written.
 */
export class FaultyVault implements Vault {
  readonly #world: World;
  readonly #process: Process;
  readonly #state: VaultState;
  readonly #policies = new Map<string, Policy>();

  constructor(world: World, process: Process, state: VaultState) {
    this.#world = world;
    this.#process = process;
    this.#state = state;
  }

  async readPolicy(keyId: string): Promise<Policy | null> {
    const known = this.#policies.get(keyId);
    if (known !== undefined) return known;
    const policy = await this.#read("read policy", () => this.#state.policies.get(keyId) ?? null);
    if (policy !== null) this.#policies.set(keyId, policy);
    return policy;
  }

  readBalances(keyIds: readonly string[]): Promise<readonly (Balance | null)[]> {
    return this.#read("read balances", () => keyIds.map((keyId) => this.#state.balances.get(keyId) ?? null));
  }

  readObject(rootId: string, objectId: string): Promise<CountedObject | null> {
    return this.#read("read object", () => this.#state.readObject(rootId, objectId));
  }

  async createKey(policy: Policy, balance: Balance, requestHash: string | null) {
    await this.#repeated("put balance", () => this.#state.putBalance(balance));
    return this.#repeated("put policy", () => this.#state.putPolicy(policy, requestHash));
  }

  async changeKey(before: Balance, change: KeyChange): Promise<Balance | null> {
    const sent = await this.#once(`change ${before.keyId}`, () => this.#state.changeKey(before, change));
    if (sent.kind === "answered") return sent.value;
    throw new Unanswered();
  }

  revokeKey(keyId: string, by: string, nowMs: number): Promise<number | null> {
    return this.#repeated(`revoke ${keyId}`, () => this.#state.revokeKey(keyId, by, nowMs));
  }

  claim(...args: Parameters<Vault["claim"]>) {
    return this.#repeated(`claim ${short(args[0])}`, () => this.#state.claim(...args));
  }

  readCall(callId: string) {
    return this.#repeated(`read ${short(callId)}`, () => this.#state.calls.get(callId) ?? null);
  }

  /** Stripe tells every price at once. */
  async lateBacklog(): Promise<{ calls: number; oldestDueMs: number | null }> {
    return { calls: 0, oldestDueMs: null };
  }

  async lateCalls(): Promise<readonly string[]> {
    return [];
  }

  saveCall(...args: Parameters<Vault["saveCall"]>): Promise<SaveResult> {
    const [record, expected, effect] = args;
    const label = `save ${short(record.callId)} v${expected}+1 ${record.status}${effect === null ? "" : ` and ${effect.kind} object`}`;
    if (effect === null) return this.#repeated(label, () => this.#state.saveCall(...args));

    // A transaction carries a token: a repeat of one that landed is answered as the first was, for ten minutes.
    let landed: SaveResult | null = null;
    return this.#repeated(label, () => {
      if (landed !== null) return landed;
      const result = this.#state.saveCall(...args);
      if (result.kind === "saved") landed = result;
      return result;
    });
  }

  async draw(draw: Draw & AttemptNote): Promise<DrawResult> {
    const { keyId, attemptId, amount, window } = draw;
    const label = `draw ${amount / 10_000n} of ${keyId.slice(0, 8)}/w${window}`;
    if (await this.#throttledOut(label)) return { kind: "not_applied" };
    const sent = await this.#once(label, () => this.#state.draw(draw));
    if (sent.kind === "answered") return sent.value;
    try {
      return await this.#read("probe", (): DrawResult => {
        const balance = this.#state.balances.get(keyId);
        const last = this.#state.lastDraw(keyId);
        return balance !== undefined && last?.attemptId === attemptId
          ? { kind: "drawn", balance }
          : { kind: "ambiguous" };
      });
    } catch {
      return { kind: "ambiguous" };
    }
  }

  async correct(correction: Correction): Promise<CorrectionResult> {
    const { amount, keyId, window } = correction;
    const label = `give back ${amount / 10_000n} to ${keyId.slice(0, 8)}/w${window}`;
    const sent = await this.#once(label, () => this.#state.correct(correction));
    return sent.kind === "answered" ? sent.value : "unknown";
  }

  confirm(callId: string, opIds: readonly string[]): Promise<void> {
    return this.#repeated(`confirm ${opIds.length} of ${short(callId)}`, () =>
      this.#state.confirm(callId, opIds),
    );
  }

  /** Every send of a write of a balance was throttled: certainly none was applied. */
  async #throttledOut(label: string): Promise<boolean> {
    if (this.#world.faults.throttled === 0) return false;
    const throttled = await this.#world.step(this.#process, label, () => this.#world.hits("throttled"));
    if (throttled) this.#world.say(`${this.#process.name}: ${label}: throttled`);
    return throttled;
  }

  #once<T>(label: string, apply: () => T) {
    return this.#world.send(this.#process, label, apply);
  }

  async #repeated<T>(label: string, apply: () => T): Promise<T> {
    for (let sends = 1; sends <= SENDS_MAX; sends++) {
      const sent = await this.#world.send(this.#process, label, apply);
      if (sent.kind === "answered") return sent.value;
    }
    throw new Unanswered();
  }

  async #read<T>(label: string, read: () => T): Promise<T> {
    const result = await this.#world.step(this.#process, label, () => {
      if (this.#world.hits("readFailed")) return { failed: true } as const;
      return { failed: false, value: read() } as const;
    });
    if (!result.failed) return result.value;
    this.#world.say(`${this.#process.name}: ${label} failed`);
    throw new Unanswered();
  }
}

class Unanswered extends Error {
  override readonly message = "the table did not answer";
}

const short = (callId: string) => callId.replace(/(call_.{6})\w*/, "$1").replace(/(!att_.{4})\w*/, "$1");
