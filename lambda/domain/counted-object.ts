import type { KeyWindow } from "./call/record.ts";
import { atLeastNothing, larger, type MicroUsd, minus, NOTHING, sum } from "./money.ts";

/**
 * An object of the vendor (a PaymentIntent, a charge, an invoice) whose money this root has counted.
 *
 * Later calls on it cost only what goes beyond: a confirmation or capture costs nothing unless others have raised the
 * object in the meantime, and a higher amount costs the difference. It is a set of entries, one for each attempt that
 * paid for it, so that parallel changes never overwrite each other: what is counted is their sum.
 */
export interface CountedObject {
  readonly objectId: string;
  /** Ended at the vendor, and its amount was given back: it can no longer move money. */
  readonly cancelled: boolean;
  readonly entries: readonly CountedEntry[];
}

/** A draw that stands for an object of the vendor: what was counted for it, in which windows. */
export interface CountedDraw {
  readonly amount: MicroUsd;
  readonly windows: readonly KeyWindow[];
}

/**
 * `amount`: what the draw of this attempt holds for the object, and what goes back where the object ends. `beyond`: what was
 * counted for it without a draw, because it turned out dearer than it was when it was looked up; whether that count landed
 * is not known, so it never goes back. `total`: what the object was worth when the vendor told of it.
 */
export interface CountedEntry extends CountedDraw {
  readonly attemptId: string;
  readonly beyond: MicroUsd;
  readonly total: MicroUsd;
}

/** How many entries an object has at most: an item is read whole by each call about it, and holds 400 KB. */
export const OBJECT_ENTRIES_MAX = 100;

const counted = (object: CountedObject): MicroUsd =>
  sum(object.entries.flatMap(({ amount, beyond }) => [amount, beyond]));

/** The highest amount the object was ever seen with. */
export const highestTotal = (object: CountedObject): MicroUsd =>
  object.entries.reduce((highest, { total }) => larger(highest, total), NOTHING);

/** What has to be reserved before the object may move `total`. Nothing is counted of an object that is not known. */
export const uncounted = (object: CountedObject | null, total: MicroUsd): MicroUsd =>
  object === null ? total : atLeastNothing(minus(total, counted(object)));
