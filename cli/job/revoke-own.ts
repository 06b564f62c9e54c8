import { setTimeout as delay } from "node:timers/promises";
import { type Api, apiOf } from "../api/client.ts";
import type { Fields } from "../api/fields.ts";
import { EXIT } from "../exit-code.ts";
import { Failure } from "../failure.ts";

const ATTEMPTS = 4;
const FIRST_WAIT_MS = 250;
/** A job that has ended should not keep its scheduler waiting for long. */
const TIMEOUT_MS = 10_000;

/**
 * Revokes a vault key with itself: that needs no right of the API key. Tried again where Keybrake cannot be reached. The key as
 * it then is, or the last failure.
 */
export async function revokeOwn(baseUrl: string, secret: string): Promise<Fields | Failure> {
  const api: Api = apiOf(baseUrl, secret);
  for (let attempt = 1; ; attempt++) {
    try {
      return await api.ask("POST", "/vault/keys/self/revoke", { timeoutMs: TIMEOUT_MS });
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      if (error.exitCode !== EXIT.worthRepeating || attempt === ATTEMPTS) return error;
      await delay(FIRST_WAIT_MS * 2 ** (attempt - 1));
    }
  }
}
