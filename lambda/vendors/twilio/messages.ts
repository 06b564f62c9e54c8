import { larger, type MicroUsd, microUsd, NOTHING } from "../../domain/money.ts";
import { Problem } from "../../domain/problem.ts";
import type { RateCard } from "../../domain/rate-card.ts";
import type { PricedRule, Quote } from "../../domain/vendor.ts";
import type { Form } from "../form.ts";
import { readMessage, segmentsText } from "./answers.ts";
import { listedForm, MESSAGE } from "./fields.ts";
import { priceAt, type Receiver, receiverOf } from "./numbers.ts";
import { CHARACTERS_MAX, isTooLong, SEGMENTS_MAX, segmentsOf } from "./segments.ts";

/**
 * The cost of a message: its segments at the price of its destination, or one price for a message with media or on
 * another channel.
 */

const refused = (message: string) => new Problem("endpoint_not_priced", `${message}`);

export const TO_MISSING = "To: missing; without it the cost of this call has no upper bound";

function addressed(form: Form): (Receiver & { readonly to: string }) | Problem {
  const to = form.get("To");
  if (to === undefined) return new Problem("amount_unknown", TO_MISSING);
  const receiver = receiverOf(to);
  if (receiver === null) {
    return refused(
      `To: got ${JSON.stringify(to.slice(0, 60))}; expected a phone number with country code, such as +15555550100 (in a form, write + as %2B), the same after whatsapp: or rcs:, or messenger: with an id; the price of other addresses is unknown`,
    );
  }
  const from = form.get("From");
  const sender = from === undefined ? null : (/^([^:]*):/.exec(from)?.[1] ?? null);
  if (from !== undefined && sender !== receiver.channel) {
    return refused(
      `From and To: got ${prefixText(sender)} in From and ${prefixText(receiver.channel)} in To; the channel is ambiguous; write the same prefix in both`,
    );
  }
  return { ...receiver, to };
}

const prefixText = (channel: string | null): string =>
  channel === null ? "no prefix" : JSON.stringify(`${channel.slice(0, 20)}:`);

const isOn = (form: Form, field: string): boolean => !/^(false)?$/i.test(form.get(field) ?? "");

type Cost = Pick<Quote, "amount" | "amountText" | "count" | "explanation">;

/** One price, for any text. */
function flat(amount: MicroUsd | Problem, amountText: string): Cost | Problem {
  return amount instanceof Problem ? amount : { amount, amountText, explanation: null };
}

function textCost(form: Form, rateCard: RateCard, destination: string): Cost | Problem {
  const each = priceAt(rateCard, "sms", destination);
  if (each instanceof Problem) return each;
  const isTemplate = form.has("ContentSid");
  const segments = isTemplate ? SEGMENTS_MAX : segmentsOf(form.get("Body") ?? "");
  const amount = microUsd(each * BigInt(segments));
  const media = [...form.keys()].filter((name) => name.startsWith("MediaUrl#")).length;
  if (media === 0 && !isOn(form, "SendAsMms")) {
    const mms = isTemplate ? priceAt(rateCard, "mms", destination) : NOTHING;
    return {
      amount: mms instanceof Problem ? amount : larger(amount, mms),
      amountText: segmentsText(segments),
      count: segments,
      explanation: isTemplate
        ? `the text of a template is unknown, so ${SEGMENTS_MAX} segments are reserved, the most that a message can have`
        : null,
    };
  }
  const mms = priceAt(rateCard, "mms", destination);
  if (mms instanceof Problem) return mms;
  // A Messaging Service may send links instead of the media. Each link needs at most one more segment.
  const asLinks = microUsd(amount + each * BigInt(media));
  return { amount: larger(mms, asLinks), amountText: "1 message with media", explanation: null };
}

export const newMessage: PricedRule = {
  kind: "priced",
  idempotency: null,
  quote: (request, { rateCard }) => {
    const form = listedForm(request, MESSAGE);
    if (form instanceof Problem) return form;
    const receiver = addressed(form);
    if (receiver instanceof Problem) return receiver;
    if (isOn(form, "ShortenUrls"))
      return refused("ShortenUrls: shortened links have their own price and can be longer; leave it out");
    if (isTooLong(form.get("Body") ?? ""))
      return refused(`Body: has more than ${CHARACTERS_MAX} characters, which Twilio does not send`);
    const { channel, destination, to } = receiver;
    const cost =
      channel === null
        ? textCost(form, rateCard, destination)
        : flat(priceAt(rateCard, channel, destination), `1 ${channel} message`);
    return cost instanceof Problem ? cost : { ...cost, currency: "usd", fxRate: null, recipients: [to] };
  },
  read: (answer, quote, { rateCard }) => readMessage(answer, quote, rateCard),
};
