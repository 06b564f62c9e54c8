import type { CountedDraw } from "./call.ts";
import { atLeastNothing, larger, type MicroUsd, minus, NOTHING, sum } from "./money.ts";

/**
 * An object of the vendor (a PaymentIntent) whose money this root has counted when it was made.
 *
 * So what is done with it later costs only what goes beyond: its confirmation and capture nothing, a higher amount the
 * difference. It is a set of entries, one per attempt whose draw stands for it, so that parallel changes never
 * overwrite each other: what is counted is their sum.
 */
export interface CountedObject {
  readonly objectId: string;
  /** Ended at the vendor, its amount given back: it can move no money any more. */
  readonly cancelled: boolean;
  readonly entries: readonly CountedEntry[];
}

/** `amount`: what the draw of this attempt holds for the object. `total`: what the vendor said the object is about. */
export interface CountedEntry extends CountedDraw {
  readonly attemptId: string;
  readonly total: MicroUsd;
}

const counted = (object: CountedObject): MicroUsd => sum(object.entries.map(({ amount }) => amount));

/** The highest amount the object was ever seen with. */
export const highestTotal = (object: CountedObject): MicroUsd =>
  object.entries.reduce((highest, { total }) => larger(highest, total), NOTHING);

/** What has to be reserved before the object may move `total`. */
export const uncounted = (object: CountedObject, total: MicroUsd): MicroUsd =>
  atLeastNothing(minus(total, counted(object)));
