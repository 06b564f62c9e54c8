import { chainOf, labelGroup, type Policy } from "./vault-key.ts";

/** A list of vault keys, newest first: those of a vendor, of a label group, or issued with one key. */
export type KeyList =
  | { readonly kind: "vendor"; readonly vendor: string }
  | { readonly kind: "label_group"; readonly group: string }
  /** `id`: of the vault key or API key that issued them. */
  | { readonly kind: "issuer"; readonly id: string };

/** What a list says of a key: what never changes, and is enough to choose by. */
export interface ListedKey {
  readonly keyId: string;
  /** Milliseconds since 1970. */
  readonly issuedAtMs: number;
  readonly vendor: string;
  readonly credential: string;
  readonly label: string | null;
  readonly issuerId: string;
  /** Ids from the root to the key itself. */
  readonly chain: readonly string[];
  /** It only observes, or a key above it does: what it may spend has no bound that its caps tell. */
  readonly observes: boolean;
  /** The key has expired by then for certain, in milliseconds; its balance may say that it did before. */
  readonly endsByMs: number;
}

/** Who issues where no other key does. Its list would be that of all keys, which the vendors' lists are already. */
const ADMIN = "admin";

/** The lists that a key stands in. */
export function listsOf({
  vendor,
  label,
  issuerId,
}: Pick<ListedKey, "vendor" | "label" | "issuerId">): readonly KeyList[] {
  const group = label === null ? null : labelGroup(label);
  return [
    { kind: "vendor", vendor },
    ...(group === null ? [] : [{ kind: "label_group", group } as const]),
    ...(issuerId === ADMIN ? [] : [{ kind: "issuer", id: issuerId } as const]),
  ];
}

/** Whether a key of its chain only observes. */
export const observes = ({ chain }: Pick<Policy, "chain">): boolean =>
  chain.some(({ mode }) => mode === "observe");

/** `expiresAtMs`: the latest that it ever had; as issued where it is left out. */
export const listedKey = (policy: Policy, expiresAtMs = policy.issuedWith.expiresAtMs): ListedKey => ({
  keyId: policy.keyId,
  issuedAtMs: policy.issuedAtMs,
  vendor: policy.vendor,
  credential: policy.credential,
  label: policy.label,
  issuerId: policy.issuerId,
  chain: chainOf(policy),
  observes: observes(policy),
  // An entry keeps whole seconds of it.
  endsByMs: (Math.floor(expiresAtMs / 1000) + 1) * 1000,
});
