import { type MicroUsd, microUsd } from "../../domain/money.ts";
import { Problem } from "../../domain/problem.ts";
import type { RateCard } from "../../domain/rate-card.ts";
import type { PricedRule } from "../../domain/vendor.ts";
import type { Form } from "../form.ts";
import { estimated, outcomeOf, pricedAtOnce } from "./answers.ts";
import { CALL, listedForm } from "./fields.ts";
import { TO_MISSING } from "./messages.ts";
import { isCallable, priceAt } from "./numbers.ts";
import { twimlProblem } from "./twiml.ts";

/** The upper bound of a call's cost: the minutes of its TimeLimit, and what happens in them. */

/** Four hours. */
const TIME_LIMIT_S_MAX = 14_400;

/**
 * Sources of instructions that Keybrake cannot see. `Url` goes before `Twiml`; `FallbackUrl` is asked when either
 * fails.
 */
const ELSEWHERE = ["Url", "ApplicationSid", "FallbackUrl"];

function minutesOf(form: Form): bigint | Problem {
  const text = form.get("TimeLimit");
  const seconds = /^[1-9][0-9]{0,4}$/.test(text ?? "") ? Number(text) : null;
  if (seconds !== null && seconds <= TIME_LIMIT_S_MAX) return BigInt(Math.ceil(seconds / 60));
  return new Problem(
    "amount_unknown",
    `TimeLimit: ${text === undefined ? "missing" : `got ${JSON.stringify(text.slice(0, 20))}`}; expected the longest time that the call may last in seconds, from 1 to ${TIME_LIMIT_S_MAX}, such as TimeLimit=300; without it a call can last four hours`,
  );
}

/** `text`: for a person. */
interface Extra {
  readonly text: string;
  readonly price: MicroUsd | Problem;
}

/** The extra cost of a call's instructions; null where Keybrake sees them and they cost nothing. */
function instructionsOf(form: Form, rateCard: RateCard, to: string): Extra | Problem | null {
  const elsewhere = ELSEWHERE.find((field) => form.has(field));
  if (elsewhere !== undefined) {
    const price = priceAt(
      rateCard,
      "call_instructions",
      to,
      ` to the highest cost of the instructions; or send the instructions as Twiml instead of ${elsewhere}, because those at an address may dial others`,
    );
    return { text: ", instructed from elsewhere", price };
  }
  const twiml = form.get("Twiml");
  const problem = twiml === undefined ? "missing" : twimlProblem(twiml);
  return problem === null
    ? null
    : new Problem(
        twiml === undefined ? "amount_unknown" : "endpoint_not_priced",
        `Twiml: ${problem}; expected one <Response> with only <Say>, <Play>, <Pause>, <Hangup> or <Reject>, not nested and without comments`,
      );
}

export const newCall: PricedRule = {
  kind: "priced",
  idempotency: null,
  quote: (request, { rateCard }) => {
    const form = listedForm(request, CALL);
    if (form instanceof Problem) return form;
    const to = form.get("To");
    if (to === undefined) return new Problem("amount_unknown", TO_MISSING);
    if (!isCallable(to)) {
      return new Problem(
        "endpoint_not_priced",
        `To: got ${JSON.stringify(to.slice(0, 60))}; expected a phone number with country code, such as +15555550100 (in a form, write + as %2B), client: with a name, or sip: with an address outside twilio.com`,
      );
    }
    const minutes = minutesOf(form);
    if (minutes instanceof Problem) return minutes;
    const minute = priceAt(rateCard, "call_minute", to);
    if (minute instanceof Problem) return minute;
    let amount = microUsd(minute * minutes);
    let amountText = `${minutes} minute${minutes === 1n ? "" : "s"}`;
    const extras = extrasOf(form, rateCard, to, minutes);
    if (extras instanceof Problem) return extras;
    for (const { text, price } of extras) {
      if (price instanceof Problem) return price;
      amount = microUsd(amount + price);
      amountText += text;
    }
    return {
      amount,
      amountText,
      isFinal: extras.length > 0,
      currency: "usd",
      fxRate: null,
      // Instructions from elsewhere may dial anyone.
      recipients: ELSEWHERE.some((field) => form.has(field)) ? null : [to],
      explanation: "every minute that TimeLimit allows is reserved",
    };
  },
  /** Twilio gives the price of the minutes later, and never the price of extras. With extras the quote stays. */
  read: (answer, quote, { rateCard }) => {
    const { made, reading } = outcomeOf(answer, quote, ["CA"]);
    if (quote.isFinal !== false) return reading;
    return pricedAtOnce(made, reading, quote, rateCard) ?? estimated(reading, quote.amount);
  },
};

/** Extras on top of the minutes; empty where Keybrake sees the instructions. */
function extrasOf(form: Form, rateCard: RateCard, to: string, minutes: bigint): readonly Extra[] | Problem {
  const instructions = instructionsOf(form, rateCard, to);
  if (instructions instanceof Problem) return instructions;
  const extras: Extra[] = instructions === null ? [] : [instructions];
  if (!/^(false)?$/i.test(form.get("Record") ?? "")) {
    const each = priceAt(rateCard, "recording_minute", to);
    extras.push({ text: ", recorded", price: each instanceof Problem ? each : microUsd(each * minutes) });
  }
  if (form.has("MachineDetection"))
    extras.push({ text: ", with machine detection", price: priceAt(rateCard, "machine_detection", to) });
  return extras;
}
