import { Problem } from "../../domain/problem.ts";
import type { Vendor } from "../../domain/vendor.ts";
import { twilioForm } from "./fields.ts";

/** What is listed, by the last word of a path: what Twilio calls it in an answer. */
export const LISTS: Readonly<Record<string, string>> = { "Messages.json": "messages", "Calls.json": "calls" };

/** The list that a path creates an entry of, by the last word of the path; null for other paths. */
export function listIn(path: string): string | null {
  const [, , , , name = "", ...rest] = path.split("/");
  return rest.length === 0 && Object.hasOwn(LISTS, name) ? name : null;
}

/** Whom a message or a call reaches and who sends it, and what an estimate of it needs. */
export const soughtOf: Vendor["soughtOf"] = (request, quote) => {
  if (listIn(request.path) === null) return null;
  const form = twilioForm(request);
  const field = (name: string) => (form instanceof Problem ? undefined : form.get(name));
  const named = { to: quote.recipients?.[0], from: field("From"), service: field("MessagingServiceSid") };
  const counted = { count: quote.count?.toString(), plain: quote.isFinal === false ? "1" : undefined };
  const known = Object.entries({ ...named, ...counted }).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, value] as const],
  );
  return named.to === undefined ? null : Object.fromEntries(known);
};
