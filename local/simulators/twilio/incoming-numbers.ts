import type { Account, PhoneNumber } from "./account.ts";
import { rfc2822 } from "./dates.ts";
import { type Endpoint, textOf } from "./endpoint.ts";
import { invalid } from "./errors.ts";
import { newSid } from "./ids.ts";
import { listResult } from "./pages.ts";
import { isE164, nationalFormat } from "./phone-numbers.ts";
import { fixedCost } from "./prices.ts";

/** `POST IncomingPhoneNumbers`: buys a number, by itself or any of an area code. */
export const buyNumber: Endpoint = (account, { form }) => {
  const areaCode = textOf(form, "AreaCode");
  const phoneNumber = textOf(form, "PhoneNumber") ?? (areaCode === null ? null : numberIn(account, areaCode));
  if (phoneNumber === null || !isE164(phoneNumber)) throw invalid(21421, "PhoneNumber is invalid");
  return () => {
    const createdMs = account.nowMs();
    const friendlyName = textOf(form, "FriendlyName") ?? nationalFormat(phoneNumber);
    const number = { sid: newSid("PN"), phoneNumber, friendlyName, createdMs };
    account.phoneNumbers.set(number.sid, number);
    const costMicroUsd = fixedCost("phone_number", 1);
    account.fixedCharges.push({
      id: number.sid,
      kind: "phone_number",
      to: phoneNumber,
      count: 1,
      costMicroUsd,
      createdMs,
    });
    return { status: 201, element: "IncomingPhoneNumber", body: numberObject(account, number) };
  };
};

/** `GET IncomingPhoneNumbers`: what was bought, newest first. */
export const listNumbers: Endpoint = (account, request) => {
  return () => {
    const all = [...account.phoneNumbers.values()].reverse();
    return listResult("incoming_phone_numbers", all, request, (number) => numberObject(account, number));
  };
};

const numberIn = ({ phoneNumbers }: Account, areaCode: string): string =>
  `+1${areaCode}555${String(100 + phoneNumbers.size).padStart(4, "0")}`;

function numberObject(account: Account, { sid, phoneNumber, friendlyName, createdMs }: PhoneNumber) {
  return {
    sid,
    account_sid: account.sid,
    friendly_name: friendlyName,
    phone_number: phoneNumber,
    capabilities: { voice: true, sms: true, mms: true, fax: false },
    date_created: rfc2822(createdMs),
    date_updated: rfc2822(createdMs),
    api_version: "2010-04-01",
    status: "in-use",
    uri: `/2010-04-01/Accounts/${account.sid}/IncomingPhoneNumbers/${sid}.json`,
  };
}
