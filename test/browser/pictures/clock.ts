/**
 * The clock of this process, set by hand: what the pictures show of times is the same each time, and a month of traffic takes a
 * minute. It stands still until it is set again. Timers go on as ever.
 */
export function setClock(time: string, plusMs = 0): void {
  const atMs = Date.parse(time) + plusMs;
  Date.now = () => atMs;
}
