import type { AttributeValue } from "@aws-sdk/client-dynamodb";
import type { Balance } from "../../domain/balance.ts";
import { type CallCount, type CountForm, formFor, type MinuteCalls } from "../../domain/call-rate.ts";

/** A write that certainly was not applied, only because another minute is stored than its form is meant for. */
export interface OtherMinute {
  readonly kind: "other_minute";
  readonly stored: MinuteCalls;
}

/** Two are enough where clocks agree; another process may begin the minute in between, and one with a clock that is behind. */
const SENDS_MAX = 5;

/**
 * Sends a write that counts a call: in the form for the minute that is stored first, and in the other one once the table has
 * said that it is another minute. So it follows only on what certainly was not applied. Null where that never fits.
 */
export async function inItsMinute<Result extends { readonly kind: string }>(
  count: CallCount,
  send: (form: CountForm) => Promise<Result | OtherMinute>,
): Promise<Exclude<Result, OtherMinute> | null> {
  let form: CountForm = { kind: "same" };
  for (let sends = 0; sends < SENDS_MAX; sends++) {
    const result = await send(form);
    if (!isOtherMinute(result)) return result as Exclude<Result, OtherMinute>;
    form = formFor(result.stored, count);
  }
  return null;
}

const isOtherMinute = (result: { readonly kind: string }): result is OtherMinute =>
  result.kind === "other_minute";

/** A refused write in which nothing but its form can be wrong, or null where its key has no rate. */
export const otherMinute = (balance: Balance | null): OtherMinute | null =>
  balance === null || balance.minuteCalls === null
    ? null
    : { kind: "other_minute", stored: balance.minuteCalls };

/** A form as a part of an update. */
export interface CountExpression {
  readonly set: string;
  readonly condition: string;
  readonly names: Readonly<Record<string, string>>;
  readonly values: Readonly<Record<string, AttributeValue>>;
}

/** `observes`: the call is counted, however many there are. */
export function countExpression(
  { minute, max }: CallCount,
  form: CountForm,
  observes: boolean,
): CountExpression {
  const names = { "#minute": "minute" };
  const [thisMinute, one] = [{ ":minute": { N: `${minute}` } }, { ":call": { N: "1" } }];
  if (form.kind === "next")
    return {
      set: "#minute = :minute, minute_calls = :call",
      condition: "#minute = :after",
      names,
      values: { ...thisMinute, ...one, ":after": { N: `${form.after}` } },
    };
  return {
    set: "minute_calls = minute_calls + :call",
    condition: `#minute >= :minute${observes ? "" : " AND minute_calls < :calls_max"}`,
    names,
    values: { ...thisMinute, ...one, ...(observes ? {} : { ":calls_max": { N: `${max}` } }) },
  };
}
