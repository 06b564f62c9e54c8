import { invalid } from "./errors.ts";

/** A telephone number in E.164: a plus, and 7 to 15 digits. */
export const isE164 = (text: string): boolean => /^\+[1-9]\d{6,14}$/.test(text);

/** Whether a number is in the country code 1, the USA, Canada and their neighbours. */
export const isNorthAmerican = (number: string): boolean => number.startsWith("+1");

/** `(415) 555-0100` for a number of country code 1, any other as it is. */
export function nationalFormat(number: string): string {
  return number.replace(/^\+1(\d{3})(\d{3})(\d{4})$/, "($1) $2-$3");
}

/** The last four digits are not shown, as Twilio does it. */
export const invalidTo = (to: string) =>
  invalid(21211, `Invalid 'To' Phone Number: ${to.replace(/.{1,4}$/, "XXXX")}`);
