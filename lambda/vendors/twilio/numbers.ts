import type { MicroUsd } from "../../domain/money.ts";
import { Problem } from "../../domain/problem.ts";
import { priceOf, type RateCard } from "../../domain/rate-card.ts";

/** Recipients of calls and messages, and what it costs to reach them. */

/**
 * E.164. Behind +1 all ten digits of the North American plan: a shorter text, or one that goes on with 0 or 1, could be
 * read as a number of another country, at another price.
 */
const NUMBER = /^\+(1[2-9][0-9]{9}|[2-9][0-9]{6,14})$/;

export const isNumber = (text: string): boolean => NUMBER.test(text);

/** The prefix of an address on another channel than text messages. */
export type Channel = "whatsapp" | "messenger" | "rcs";

export interface Receiver {
  /** Null for a text message. */
  readonly channel: Channel | null;
  /** Without the prefix, as the price tables have it. */
  readonly destination: string;
}

/** Reads `To` of a message; null where the destination is not certain. */
export function receiverOf(to: string): Receiver | null {
  if (isNumber(to)) return { channel: null, destination: to };
  const [, channel = "", destination = ""] = /^(whatsapp|messenger|rcs):(.+)$/.exec(to) ?? [];
  if (channel === "messenger") return /^[0-9]{1,32}$/.test(destination) ? { channel, destination } : null;
  return (channel === "whatsapp" || channel === "rcs") && isNumber(destination)
    ? { channel, destination }
    : null;
}

/**
 * An address of SIP, by the name of its host, that does not lead back into Twilio: that would charge for what it does there.
 * A number in place of the name, or a dot behind it, could hide that it does.
 */
const SIP =
  /^sip:[\w.+-]{1,64}@(?![\w.-]*\btwilio\.com(:|$))([a-z0-9-]{1,63}\.){1,8}(?=[a-z])[a-z0-9-]{0,62}[a-z0-9](:[0-9]{1,5})?$/i;
const CLIENT = /^client:[\w.-]{1,120}$/;

/** Whether a call may go there: a number, a client of the Voice SDK, or an address of SIP. */
export const isCallable = (to: string): boolean => isNumber(to) || CLIENT.test(to) || SIP.test(to);

const EMAIL = /^[^\s@,;:<>"()[\]\\]{1,64}@[A-Za-z0-9][A-Za-z0-9.-]{0,250}$/;
export const isEmail = (text: string): boolean => EMAIL.test(text);

export const recipients = {
  accepted:
    'the start of a phone number such as "+1" or "+4479", or a whole address such as "whatsapp:+15555550100", "client:ann" or "ann@example.com"',
  isEntry: (entry: string): boolean =>
    /^\+[0-9]{1,15}$/.test(entry) || receiverOf(entry) !== null || isCallable(entry) || isEmail(entry),
  /** The beginning of a number fits it on every channel. */
  allows: (entry: string, recipient: string): boolean => {
    if (entry === recipient) return true;
    const number = recipient.replace(/^(whatsapp|rcs):/, "");
    return /^\+[0-9]+$/.test(entry) && /^\+[0-9]+$/.test(number) && number.startsWith(entry);
  },
};

/** The price of an item, or which setting is missing. */
export const priceAt = (
  rateCard: RateCard,
  item: string,
  destination: string,
  instead = "",
): MicroUsd | Problem =>
  priceOf(rateCard.prices, "twilio", item, destination) ??
  new Problem(
    "endpoint_not_priced",
    `no price is set for ${item} at ${JSON.stringify(destination.slice(0, 60))}, so the cost of this call has no upper bound; an operator can set prices.twilio.${item}${instead}`,
  );
