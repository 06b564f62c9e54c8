/**
 * What is neither measured in units nor stands in the template: times and bytes, each with where it comes from. They err
 * high.
 */
export const ASSUMED = {
  /** Seconds that the vendor takes for a call: a payment of Stripe. */
  vendorS: 0.5,
  /** Seconds that Keybrake adds to a call, or takes for a refusal, for issuing and for revoking: up to six trips to DynamoDB. */
  ownS: 0.05,
  /** Seconds that one lookup, or one question for a late price, adds. */
  lookupS: 0.25,
  /** Seconds of the consumer for one call in full batches: `npm run bench`, 20 lanes, 20 ms a write, 3,000 calls a second. */
  consumerS: 20 / 3_000,
  /** Seconds of the consumer for one batch of a single call: its trips one after another. */
  batchS: 0.1,
  /** Calls in a full batch of 100 changes, three for each call. */
  callsInBatch: 33,
  /** Batches that a call makes alone: its start and its end may lie in two. */
  batchesAlone: 2,
  /** Seconds of a scheduled run without work, some of them with a start. */
  idleRunS: 0.3,
  /** Bytes of the lines START, END and REPORT that Lambda writes for an invocation, with 26 for each line. */
  logBytes: 350,
  /** Bytes of the line that counts a denial, with 26 for the line. */
  denialLogBytes: 300,
  /** Bytes that leave for the internet with a call: request to the vendor, answer to the caller. Stripe's answer has 2.5 KB. */
  transferBytes: 5_000,
  /** Bytes of an answer of our own. */
  answerBytes: 1_500,
  hoursOfMonth: 730,
} as const;

/** Days of the month that prices mean. */
export const DAYS_OF_MONTH = ASSUMED.hoursOfMonth / 24;
