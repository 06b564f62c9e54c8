import { SegmentedMessage } from "sms-segments-calculator";

/** How many segments a text message is split into. twilio.com/docs/glossary/what-is-a-segment, read 2026-11-22. */

/** Longer texts are refused by Twilio (error 21617). */
export const CHARACTERS_MAX = 1_600;

/**
 * The most that a text of 1600 characters of 16 bits has, where 66 of them fit into each segment because a pair is never
 * cut in two.
 */
export const SEGMENTS_MAX = 25;

const UNITS_ALONE = 70;
const UNITS_IN_SEGMENT = 67;

export const isTooLong = (body: string): boolean =>
  body.length > 2 * CHARACTERS_MAX || [...body].length > CHARACTERS_MAX;

/**
 * Counts the segments of a text that is not too long, as the dearest of three ways: as it is; with Smart Encoding, which a
 * Messaging Service may do unasked and which makes "1/4" of "¼"; and cut between any two code points, since the calculator
 * takes a letter under five hundred accents for one that fits anywhere.
 */
export function segmentsOf(body: string): number {
  const plain = new SegmentedMessage(body, "auto", false);
  const smart = new SegmentedMessage(body, "auto", true);
  const cut = plain.getEncodingName() === "GSM-7" ? 1 : cutAnywhere(body);
  return Math.max(plain.segmentsCount, smart.segmentsCount, cut);
}

function cutAnywhere(body: string): number {
  if (body.length <= UNITS_ALONE) return 1;
  let segments = 1;
  let units = 0;
  for (const { length } of body) {
    if (units + length > UNITS_IN_SEGMENT) {
      segments += 1;
      units = 0;
    }
    units += length;
  }
  return segments;
}
