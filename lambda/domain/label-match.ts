import { labelGroup } from "./vault-key.ts";

/** A whole label, or the beginning of labels. */
export interface LabelMatch {
  readonly kind: "exact" | "prefix";
  readonly text: string;
}

/** Reads a label as requests write it: with a last `*` it is the beginning of labels. */
export const labelMatchOf = (text: string): LabelMatch =>
  text.endsWith("*") ? { kind: "prefix", text: text.slice(0, -1) } : { kind: "exact", text };

/** As requests write it. */
export const labelMatchText = ({ kind, text }: LabelMatch): string => (kind === "prefix" ? `${text}*` : text);

export const matchesLabel = ({ kind, text }: LabelMatch, label: string | null): boolean =>
  label !== null && (kind === "exact" ? label === text : label.startsWith(text));

/** The group that every matching label is in, or null: a beginning may be that of a group's name. */
export const groupOfMatch = ({ kind, text }: LabelMatch): string | null =>
  kind === "exact" || /[/:]/.test(text) ? labelGroup(text) : null;
