import { inItsMinute, type OtherMinute } from "../../lambda/adapters/vault/count-forms.ts";
import type { Draw } from "../../lambda/domain/balance.ts";
import type { CountForm } from "../../lambda/domain/call-rate.ts";
import type { Policy } from "../../lambda/domain/vault-key.ts";
import type { AttemptNote, Balances, DrawResult } from "../../lambda/ports/balances.ts";
import type { Calls, DueCalls, SaveResult } from "../../lambda/ports/calls.ts";
import type { ListedKeys } from "../../lambda/ports/listed-keys.ts";
import type { Objects } from "../../lambda/ports/objects.ts";
import type { Policies } from "../../lambda/ports/policies.ts";
import type { Stops } from "../../lambda/ports/stops.ts";
import type { Vault } from "../../lambda/ports/vault.ts";
import { drawIn, known, memoryListedKeys, memoryStops, type VaultState } from "../support/memory-vault.ts";
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
  readonly #known = new Map<string, Policy>();

  constructor(world: World, process: Process, state: VaultState) {
    this.#world = world;
    this.#process = process;
    this.#state = state;
  }

  readonly policies: Policies = {
    read: async (keyId) => {
      const known = this.#known.get(keyId);
      if (known !== undefined) return known;
      const policy = await this.#read("read policy", () => this.#state.policies.get(keyId) ?? null);
      if (policy !== null) this.#known.set(keyId, policy);
      return policy;
    },
    readAll: (keyIds) => this.#read("read policies", () => known(this.#state.policies, keyIds)),
    create: async (policy, balance, requestHash) => {
      await this.#repeated("put balance", () => {
        this.#state.putBalance(balance);
        this.#state.putListed(policy, balance.expiresAtMs);
      });
      return this.#repeated("put policy", () => this.#state.putPolicy(policy, requestHash));
    },
  };

  readonly balances: Balances = {
    read: (keyIds) =>
      this.#read("read balances", () => keyIds.map((keyId) => this.#state.balances.get(keyId) ?? null)),
    change: async (before, change) => {
      const sent = await this.#once(`change ${before.keyId}`, () => this.#state.changeKey(before, change));
      if (sent.kind === "answered") return sent.value;
      throw new Unanswered();
    },
    revoke: (revocation) =>
      this.#repeated(`revoke ${revocation.keyId}`, () => this.#state.revokeKey(revocation)),
    draw: (draw) => drawIn(draw, (form) => this.#draw(draw, form)),
    count: async (call) => {
      const { attemptId } = this.#process;
      const label = `count a call of ${call.keyId.slice(0, 8)}`;
      const counted = await inItsMinute(call.count, (form) =>
        this.#repeated(`${label} (${form.kind})`, () => this.#state.count(call, form, attemptId)),
      );
      if (counted === null) throw new Unanswered();
      return counted;
    },
    fence: (keyId, atMs) =>
      this.#repeated(`fence ${keyId.slice(0, 8)} at ${atMs}`, () => this.#state.fence(keyId, atMs)),
    correct: async (correction) => {
      const { opId, amount, keyId, window } = correction;
      this.#world.corrections.sent(opId);
      const label = `give back ${amount / 10_000n} to ${keyId.slice(0, 8)}/w${window}`;
      const sent = await this.#once(label, () => this.#state.correct(correction));
      return sent.kind === "answered" ? sent.value : "unknown";
    },
  };

  readonly calls: Calls = {
    read: (callId) => this.#repeated(`read ${short(callId)}`, () => this.#state.calls.get(callId) ?? null),
    claim: (claim) => this.#repeated(`claim ${short(claim.callId)}`, () => this.#state.claim(claim)),
    save: (record, expected, effect) => {
      const label = `save ${short(record.callId)} v${expected}+1 ${record.status}${effect === null ? "" : ` and ${effect.kind} object`}`;
      const save = () => this.#state.saveCall(record, expected, effect);
      this.#world.corrections.written(this.#process, record);
      const repeated = (apply: () => SaveResult) =>
        this.#repeated(label, apply).catch((error: unknown) => {
          this.#world.corrections.unanswered(this.#process, record);
          throw error;
        });
      if (effect === null) return repeated(save);

      // A transaction carries a token: a repeat of one that landed is answered as the first was, for ten minutes.
      let landed: SaveResult | null = null;
      return repeated(() => {
        if (landed !== null) return landed;
        const result = save();
        if (result.kind === "saved") landed = result;
        return result;
      });
    },
    confirm: (callId, opIds) =>
      this.#repeated(`confirm ${opIds.length} of ${short(callId)}`, () => this.#state.confirm(callId, opIds)),
    late: (wanted) => this.#read("list late prices", () => this.#late(wanted)),
    lateBacklog: async () => ({ calls: 0, oldestDueMs: null }),
  };

  readonly objects: Objects = {
    read: (name) => this.#read("read object", () => this.#state.readObject(name)),
  };

  /** No use case that is simulated reads lists. */
  get listedKeys(): ListedKeys {
    return memoryListedKeys(this.#state);
  }

  /** Nobody orders a stop in the simulation. */
  get stops(): Stops {
    return memoryStops(this.#state);
  }

  async #draw(draw: Draw & AttemptNote, form: CountForm | null): Promise<DrawResult | OtherMinute> {
    const { keyId, attemptId, amount, window } = draw;
    const label = `draw ${amount / 10_000n} of ${keyId.slice(0, 8)}/w${window}`;
    if (await this.#throttledOut(label)) return { kind: "not_applied" };
    const sent = await this.#once(label, () => this.#state.draw(draw, form));
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

  /** The longest due first. An index that lags lacks some calls, and has some whose price is settled. */
  #late({ vendor, dueByMs, limit }: DueCalls): readonly string[] {
    const lags = this.#world.hits("indexLags");
    const due: { readonly callId: string; readonly dueMs: number }[] = [];
    for (const { callId, latePrice, attempts } of this.#state.calls.values()) {
      if (lags && this.#world.random.chance(0.3)) continue;
      if (latePrice !== null && latePrice.vendor === vendor && latePrice.dueMs <= dueByMs)
        due.push({ callId, dueMs: latePrice.dueMs });
      else if (lags && Object.values(attempts).some(({ lateAtMs }) => lateAtMs !== null))
        due.push({ callId, dueMs: 0 });
    }
    due.sort((a, b) => a.dueMs - b.dueMs);
    return due.slice(0, limit).map(({ callId }) => callId);
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
