import { labelGroup, type Policy } from "./vault-key.ts";

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
}

/** Who issues where no other key does. Its list would be that of all keys, which the vendors' lists are already. */
const ADMIN = "admin";

/** The lists that a key stands in. */
export function listsOf({ vendor, label, issuerId }: ListedKey): readonly KeyList[] {
  const group = label === null ? null : labelGroup(label);
  return [
    { kind: "vendor", vendor },
    ...(group === null ? [] : [{ kind: "label_group", group } as const]),
    ...(issuerId === ADMIN ? [] : [{ kind: "issuer", id: issuerId } as const]),
  ];
}

export const listedKey = (policy: Policy): ListedKey => ({
  keyId: policy.keyId,
  issuedAtMs: policy.issuedAtMs,
  vendor: policy.vendor,
  credential: policy.credential,
  label: policy.label,
  issuerId: policy.issuerId,
  chain: policy.chain.map(({ keyId }) => keyId),
});
