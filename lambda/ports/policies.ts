import type { Balance } from "../domain/balance.ts";
import type { Policy } from "../domain/vault-key.ts";

/** What a vault key may do. A policy is written once, when its key is issued. */
export interface Policies {
  /** Never changes, so it may come from a cache. Null for a key that does not exist. */
  read(keyId: string): Promise<Policy | null>;
  /** Those of the policies that there are, by key id. */
  readAll(keyIds: readonly string[]): Promise<ReadonlyMap<string, Policy>>;
  /** The balance and the entries in the lists of keys first, then the policy: a key is usable once its policy is there. */
  create(policy: Policy, balance: Balance, requestKey: string | null): Promise<Created>;
}

/** `alreadyIssued`: the id of the key that an earlier request under the same key was answered with. */
export type Created = "created" | { readonly alreadyIssued: string };
