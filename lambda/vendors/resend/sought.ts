import { Problem } from "../../domain/problem.ts";
import { isJsonObject } from "../../domain/strict-json.ts";
import { sha256 } from "../../domain/token.ts";
import type { Json, Vendor } from "../../domain/vendor.ts";
import { readJson } from "../json-body.ts";

/** Half of a hash: who finds another e-mail with it would have to look for it. */
const FINGERPRINT_LENGTH = 32;

/** A larger body, of attachments, would be read for the second time on every call. */
const READ_BYTES_MAX = 100_000;

const addresses = (value: unknown): readonly string[] =>
  typeof value === "string" ? [value] : Array.isArray(value) ? value.map(String) : [];

/** Null where the texts that it is made of are elsewhere, as those of a template. */
export function fingerprintOf(email: Json): string | null {
  const { from, subject, to, cc, bcc } = email;
  if (typeof from !== "string" || typeof subject !== "string") return null;
  const named = [from, subject, ...[to, cc, bcc].map((list) => [...addresses(list)].sort())];
  return sha256(JSON.stringify(named)).slice(0, FINGERPRINT_LENGTH);
}

/** A fingerprint of the e-mail, in the place of its texts. */
export const soughtOf: Vendor["soughtOf"] = (request) => {
  if (request.body.length > READ_BYTES_MAX) return null;
  const body = readJson(request);
  // A batch is many e-mails, each of which others may have sent too.
  if (body instanceof Problem || !isJsonObject(body.value)) return null;
  const email = fingerprintOf(body.value);
  return email === null ? null : { email };
};
