import type { KeyList, ListedKey } from "../domain/key-list.ts";

/**
 * Lists of vault keys. A key stands in its lists before it can be used, and a read is strongly consistent: it finds
 * every key that is usable by then. It may also find one whose issue has not ended, or failed: that one has no policy.
 */
export interface ListedKeys {
  /** The parts that a list is read in: keys of one part are in order, those of all parts have to be merged. */
  partsOf(list: KeyList): readonly KeyListPart[];
  /** Keys of one part, newest first, and where to go on. */
  page(wanted: WantedKeys): Promise<KeyListPage>;
}

/** `shard`: which part, from 0 on. */
export type KeyListPart = KeyList & { readonly shard: number };

export interface WantedKeys {
  readonly part: KeyListPart;
  /** The position of a key that was seen already, or null: only older ones are wanted. */
  readonly before: string | null;
  readonly limit: number;
}

export interface KeyListPage {
  /** A position sorts as text by time of issue, then by id. */
  readonly entries: readonly { readonly position: string; readonly key: ListedKey }[];
  /** Null when there is nothing older. */
  readonly next: string | null;
}
