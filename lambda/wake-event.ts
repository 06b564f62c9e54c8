/**
 * The event that runs the resolver, on the bus of the deployment: who sends it, and what it is called. Its source is not that of
 * what happens (announcement-wire.ts), so nobody is told of it.
 */
export const WAKE_EVENT = { source: "keybrake.work", type: "calls.due" } as const;
