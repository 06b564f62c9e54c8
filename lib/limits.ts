import { STOPS_KEY } from "../lambda/layout.ts";

/** Settings that the deployed stack makes and that the local run imitates: one source for both. */

/** What the gateway waits for a function, in seconds: the most that a REST API waits unless its quota is raised. */
export const INTEGRATION_TIMEOUT_S = 29;

/** What a function may take, in seconds: below the gateway's, so that our own answer wins. */
export const FUNCTION_TIMEOUT_S = 28;

/** The same of the resolver, for which nobody waits: 10,000 calls that died at once are one run's work. Less than until its next. */
export const RESOLVER_TIMEOUT_S = 240;

/** Seconds after which an attempt without outcome is told as open, and finished on evidence: no function lives so long. */
export const RESOLVE_AFTER_S = 300;

/** CPU comes with memory; a call mostly waits for its vendor (docs/decisions/0040-memory.md). */
export const FUNCTION_MEMORY_MB = 512;

/**
 * How the stream of the Vault table is read. With Lambda's own defaults one record that cannot be recorded would block
 * its shard for a day and then be lost; with these it comes again ten times and then ends whole in a dead letter.
 */
export const STREAM_READING = {
  batchMax: 100,
  retriesMax: 10,
  /** Below the 24 hours that a stream keeps a record. */
  ageMaxH: 20,
  /** Seconds that a batch is waited for. */
  windowS: 1,
} as const;

/**
 * Which changes of the Vault table run apply-stops: those of the item of the stops in force. A pattern of Lambda's event
 * filtering: every list names the accepted values ("Using event filtering with a DynamoDB event source", documentation of
 * Lambda, read 2026-11-28).
 */
export const STOPS_FILTER = {
  dynamodb: { Keys: { pk: { S: [STOPS_KEY.pk] }, sk: { S: [STOPS_KEY.sk] } } },
} as const;
