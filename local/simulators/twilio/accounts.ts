import { vendorBooks } from "./books.ts";
import type { Endpoint } from "./endpoint.ts";

/** What the account was opened with, in millionths of a dollar. */
const OPENED_WITH_MICRO_USD = 1_000_000_000;

/** `GET Accounts/{sid}/Balance`: what the books leave of $1,000. It may go below zero, and nothing is refused then. */
export const retrieveBalance: Endpoint = (account) => () => {
  const left = OPENED_WITH_MICRO_USD - vendorBooks(account).spent_micro_usd;
  const [whole, millionths] = [Math.trunc(Math.abs(left) / 1_000_000), Math.abs(left) % 1_000_000];
  const balance = `${left < 0 ? "-" : ""}${whole}.${`${millionths}`.padStart(6, "0")}`;
  return { status: 200, element: "Balance", body: { account_sid: account.sid, balance, currency: "USD" } };
};
