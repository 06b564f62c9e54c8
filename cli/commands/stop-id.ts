/** The id of a stop. Throws a RangeError for anything else. */
function stopIdOf(input: string): string {
  if (/^stop_[A-Za-z0-9]+$/.test(input)) return input;
  throw new RangeError("expected the id of a stop, stop_…; `keybrake stops` lists them");
}

export const STOP_ID = { parse: stopIdOf, brief: "id of the stop", placeholder: "STOP" } as const;
