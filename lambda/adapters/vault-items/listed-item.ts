import * as v from "valibot";
import { type KeyList, type ListedKey, listsOf, observes } from "../../domain/key-list.ts";
import { isoTime } from "../../domain/time.ts";
import type { Policy } from "../../domain/vault-key.ts";
import type { KeyListPart } from "../../ports/listed-keys.ts";
import { shardOf } from "../shards.ts";
import { type Item, orNull, read, whole, written } from "./codec.ts";
import { endedByMs } from "./policy-item.ts";

/**
 * A key's entries in the lists of keys: an item for each list that it stands in. They are items of their own and no
 * index of the policy, since an index may lag behind, and a stop has to find every key.
 */
const PREFIX = "LISTED#";

/** Whether a partition key is that of a list. */
export const isListed = (pk: string): boolean => pk.startsWith(PREFIX);

/** The partition key of one part of a list. */
export const listKey = (part: KeyListPart): string => `${PREFIX}${part.kind}#${nameOf(part)}#${part.shard}`;

function nameOf(list: KeyList): string {
  switch (list.kind) {
    case "vendor":
      return list.vendor;
    case "label_group":
      return list.group;
    case "issuer":
      return list.id;
  }
}

/** Where a key stands in a list: the sort key. */
export const positionIn = ({ keyId, issuedAtMs }: Pick<ListedKey, "keyId" | "issuedAtMs">): string =>
  `${isoTime(issuedAtMs)}#${keyId}`;

const listedSchema = v.pipe(
  v.object({
    key_id: v.string(),
    issued_at: whole,
    vendor: v.string(),
    credential: v.string(),
    agent_run_label: orNull(v.string()),
    issuer_id: v.string(),
    chain: v.array(v.string()),
    mode: orNull(v.literal("observe")),
    ttl: whole,
  }),
  v.transform(
    (item): ListedKey => ({
      keyId: item.key_id,
      issuedAtMs: item.issued_at,
      vendor: item.vendor,
      credential: item.credential,
      label: item.agent_run_label,
      issuerId: item.issuer_id,
      chain: item.chain,
      observes: item.mode === "observe",
      endsByMs: endedByMs(item.ttl),
    }),
  ),
);

export const readListedItem = (item: Item): ListedKey => v.parse(listedSchema, read(item));

/** The entries of a key, which live as long as its policy. `ttlS`: seconds. */
export function listedItems(policy: Policy, ttlS: number): readonly Item[] {
  const attributes = written({
    key_id: policy.keyId,
    issued_at: policy.issuedAtMs,
    vendor: policy.vendor,
    credential: policy.credential,
    agent_run_label: policy.label ?? undefined,
    issuer_id: policy.issuerId,
    chain: policy.chain.map(({ keyId }) => keyId),
    mode: observes(policy) ? "observe" : undefined,
    ttl: ttlS,
  });
  return listsOf(policy).map((list) => ({
    pk: { S: listKey({ ...list, shard: shardOf(policy.keyId) }) },
    sk: { S: positionIn(policy) },
    ...attributes,
  }));
}
