import * as v from "valibot";
import { type Login, type LoginCode, TRIES_WINDOW_MS } from "../../domain/login.ts";
import { type Item, orNull, read, whole, written } from "./codec.ts";

/** What the sort keys of all items begin with that are about logins: no row tells of them. */
export const LOGIN_KIND = "LOGIN";

export const loginKey = (loginId: string) => ({ pk: { S: `LOGIN#${loginId}` }, sk: { S: LOGIN_KIND } });
export const codeKey = (codeId: string) => ({
  pk: { S: `LOGIN_CODE#${codeId}` },
  sk: { S: `${LOGIN_KIND}_CODE` },
});
/** The attempts of a group of addresses in one window. */
export const triesKey = (group: string, windowMs: number) => ({
  pk: { S: `LOGIN_TRIES#${group}` },
  sk: { S: `${LOGIN_KIND}_TRIES#${windowMs}` },
});

const codeSchema = v.pipe(
  v.object({ api_key_id: v.string(), admin_proof: orNull(v.string()), ends_at: whole }),
  v.transform(
    (item): LoginCode => ({
      apiKeyId: item.api_key_id,
      adminProof: item.admin_proof,
      endsAtMs: item.ends_at,
    }),
  ),
);

const loginSchema = v.pipe(
  v.object({
    api_key_id: v.string(),
    admin_proof: orNull(v.string()),
    started_at: whole,
    ends_at: whole,
    ended_at: orNull(whole),
  }),
  v.transform(
    (item): Login => ({
      apiKeyId: item.api_key_id,
      adminProof: item.admin_proof,
      startedAtMs: item.started_at,
      endsAtMs: item.ends_at,
      endedAtMs: item.ended_at,
    }),
  ),
);

export const readLoginItem = (item: Item): Login => v.parse(loginSchema, read(item));
export const readCodeItem = (item: Item): LoginCode => v.parse(codeSchema, read(item));

/** Seconds, as the TTL is. What is over is refused by its end; the TTL only keeps the table small. */
const ttlOf = (endsAtMs: number): number => Math.ceil(endsAtMs / 1000);
export const triesTtlS = (windowMs: number): number => ttlOf(windowMs + TRIES_WINDOW_MS);

export const loginItem = (loginId: string, login: Login): Item => ({
  ...loginKey(loginId),
  ...written({
    api_key_id: login.apiKeyId,
    admin_proof: login.adminProof ?? undefined,
    started_at: login.startedAtMs,
    ends_at: login.endsAtMs,
    ttl: ttlOf(login.endsAtMs),
  }),
});

export const codeItem = (codeId: string, code: LoginCode): Item => ({
  ...codeKey(codeId),
  ...written({
    api_key_id: code.apiKeyId,
    admin_proof: code.adminProof ?? undefined,
    ends_at: code.endsAtMs,
    ttl: ttlOf(code.endsAtMs),
  }),
});
