/** Random strings of the alphabet `[A-Za-z0-9]`. */
export interface Ids {
  random(length: number): string;
}
