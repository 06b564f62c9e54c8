import type { KeyList } from "./key-list.ts";
import type { LabelMatch } from "./label-match.ts";
import type { StopMatcher } from "./stop.ts";
import { labelGroup } from "./vault-key.ts";

/**
 * The lists that have every key which a stop is for: that of the label group where its label tells one, else those of the
 * vendors. `vendors`: the names of those that there are.
 */
export function listsFor(
  { label, vendor, vendors: reached }: StopMatcher,
  vendors: readonly string[],
): readonly KeyList[] {
  const group = label === null ? null : groupOf(label);
  if (group !== null) return [{ kind: "label_group", group }];
  return vendors
    .filter((name) => vendor === null || name === vendor)
    .filter((name) => reached?.includes(name) !== false)
    .map((name) => ({ kind: "vendor", vendor: name }));
}

/** A beginning of labels may be the beginning of a group's name: then it tells no group. */
export const groupOf = ({ kind, text }: LabelMatch): string | null =>
  kind === "exact" || /[/:]/.test(text) ? labelGroup(text) : null;
