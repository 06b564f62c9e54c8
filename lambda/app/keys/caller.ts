import { type ApiKey, reaches } from "../../domain/api-key.ts";
import { Problem } from "../../domain/problem.ts";
import type { Policy } from "../../domain/vault-key.ts";

/** Who manages keys: an API key, or the admin of the deployment, who has none and may everything. */
export interface Caller {
  /** `admin`, or the id of the API key: as rows and keys name it. */
  readonly id: string;
  readonly apiKey: ApiKey | null;
}

/** The holder of the admin API key. */
export const ADMIN: Caller = { id: "admin", apiKey: null };

/** What an id that is unknown or not yours gets, in the same words. */
export const notFound = () => new Problem("not_found", "there is no such vault key, or it is not yours");

/** Whether the caller may see and stop this key. */
export const mayReach = ({ apiKey }: Caller, policy: Pick<Policy, "vendor" | "credential">): boolean =>
  apiKey === null || reaches(apiKey, policy);

export const isAdmin = ({ apiKey }: Caller): boolean => apiKey === null || apiKey.scopes.includes("admin");

/** Whether the caller may see every key there is, and so what is added up over all of them. */
export const isUnlimited = ({ apiKey }: Caller): boolean =>
  apiKey === null || (apiKey.vendors === null && apiKey.credentials === null);

/** Whether the caller, or a key that it issued, issued this key. */
export const isIssuerOf = (caller: Caller, { chain }: Pick<Policy, "chain">): boolean =>
  isAdmin(caller) || chain.some(({ keyId }) => keyId === caller.id);
