import type { Balances } from "./balances.ts";
import type { Calls } from "./calls.ts";
import type { ListedKeys } from "./listed-keys.ts";
import type { Objects } from "./objects.ts";
import type { Policies } from "./policies.ts";

/**
 * The items of the Vault table: a port for each kind. The adapters fill them in for AWS, the simulation in memory; both
 * pass the same contract. A method that cannot tell whether its write landed throws, unless it says otherwise.
 */
export interface Vault extends CallVault {
  readonly listedKeys: ListedKeys;
}

/** Those of them that a call needs. */
export interface CallVault {
  readonly policies: Policies;
  readonly balances: Balances;
  readonly calls: Calls;
  readonly objects: Objects;
}
