/** What happened in a run, counted. */
export class Tally {
  readonly faults = new Map<string, number>();
  /** Fault and operation -> times. */
  readonly byOperation = new Map<string, number>();
  calls = 0;
  requests = 0;
  kills = 0;

  readonly fault = (kind: string, operation: string): void => {
    add(this.faults, kind, 1);
    add(this.byOperation, `${kind} ${operation}`, 1);
  };

  get faultsInAll(): number {
    return [...this.faults.values()].reduce((sum, times) => sum + times, 0);
  }
}

function add(counts: Map<string, number>, name: string, times: number): void {
  counts.set(name, (counts.get(name) ?? 0) + times);
}
