import { timingSafeEqual } from "node:crypto";
import { Problem } from "../domain/problem.ts";
import type { Secrets } from "../domain/secrets.ts";
import { sha256 } from "../domain/vault-key.ts";
import type { Headers } from "../domain/vendor.ts";
import { singleHeader, tokenOf } from "./request.ts";

/** Who is behind the admin API key, as rows and keys name it. */
const ADMIN = "admin";

/** What an API key begins with, so that it is known when it turns up where it should not. A generated secret cannot have it. */
const PREFIX = "kb_";

const isSame = (token: string, expected: string): boolean =>
  timingSafeEqual(Buffer.from(sha256(token)), Buffer.from(sha256(expected)));

export interface AdminDoor {
  readonly adminKey: () => Promise<string | null>;
  readonly secrets: Secrets;
  /** Where this runs, as far as it explains that a key is not known. */
  readonly apiKeyHint: string | null;
}

/**
 * Lets the holder of the admin API key pass: the secret as it is, or with `kb_` before it. Compares hashes, in a time that
 * tells nothing.
 */
export async function authenticateAdmin(
  headers: Headers,
  { adminKey, secrets, apiKeyHint }: AdminDoor,
): Promise<string> {
  singleHeader(headers, "Authorization");
  const token = tokenOf(headers);
  if (token === null)
    throw new Problem(
      "api_key_invalid",
      "missing API key; send it as Authorization: Bearer <KEYBRAKE_API_KEY>",
    );
  const expected = await adminKey();
  if (expected !== null && (isSame(token, expected) || isSame(token, `${PREFIX}${expected}`))) return ADMIN;
  throw new Problem(
    "api_key_invalid",
    `unknown API key; it looks like ${secrets.looksLike(token)}; send the admin API key as Authorization: Bearer <KEYBRAKE_API_KEY>${apiKeyHint === null ? "" : `; ${apiKeyHint}`}`,
  );
}
