import * as v from "valibot";
import type { Shown } from "../app/keys/sign-in.ts";
import { invalid, parseBody } from "./parse-body.ts";

/** The body of `POST /dashboard/login`. */

const LENGTH_MAX = 4_096;

const secret = (what: string) =>
  v.optional(
    v.nullable(
      v.pipe(
        v.string(`expected ${what}`),
        v.minLength(1, `expected ${what}`),
        v.maxLength(LENGTH_MAX, `expected ${what}`),
      ),
    ),
    null,
  );

export const loginBody = v.strictObject({
  api_key: secret("an API key"),
  code: secret("a one-time code, as keybrake dashboard prints it"),
});

/** Reads the body, or throws a Problem that names the field and says what was expected. It repeats nothing of what was sent. */
export function parseLoginBody(body: unknown): Shown {
  const { api_key: apiKey, code } = parseBody(loginBody, body);
  if (apiKey !== null && code !== null)
    throw invalid("code", "got both an API key and a code; leave one of them out");
  if (apiKey !== null) return { kind: "api_key", apiKey: apiKey.trim() };
  if (code !== null) return { kind: "code", code: code.trim() };
  throw invalid("api_key", "missing; sign in with an API key or with a code");
}
