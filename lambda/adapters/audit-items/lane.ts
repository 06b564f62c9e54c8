/** Lanes that there are: as many processes add to sums at a time without meeting. */
const LANES = 256;
const FIRST_LANES = 64;

/**
 * Which of the items of each sum a process adds to. Two transactions that add to one item at a time are not both let
 * through, so processes that run at the same time keep lanes of their own: one that meets another moves to a lane by
 * chance, among twice as many. So there are as many items of a sum as there are processes, about, and never more than
 * there are lanes.
 */
export class Lane {
  readonly #random: (below: number) => number;
  #among = FIRST_LANES;
  #number: number;

  /** `random`: a whole number by chance, from 0 on. */
  constructor(random: (below: number) => number) {
    this.#random = random;
    this.#number = this.#chosen();
  }

  get number(): number {
    return this.#number;
  }

  /** Another process is there. */
  leave(): void {
    this.#among = Math.min(LANES, this.#among * 2);
    this.#number = this.#chosen();
  }

  #chosen(): number {
    return this.#random(this.#among);
  }
}
