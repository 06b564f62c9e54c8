import * as v from "valibot";
import { type ApiKey, SCOPES } from "../../domain/api-key.ts";
import { isoTime } from "../../domain/time.ts";
import { type Item, money, orNull, read, whole, written } from "./codec.ts";

export const apiKeyKey = (apiKeyId: string) => ({ pk: { S: `KEY#${apiKeyId}` }, sk: { S: "API_KEY" } });

/** All API keys stand in one list: there are few, and no call reads it. */
export const API_KEY_LIST = "API_KEYS";

const caps = v.pipe(
  v.object({ daily_cap: money, total_cap: money, per_call_cap: money }),
  v.transform(({ daily_cap: daily, total_cap: total, per_call_cap: perCall }) => ({ daily, total, perCall })),
);

const schema = v.pipe(
  v.object({
    api_key_id: v.string(),
    name: v.string(),
    secret_hash: v.string(),
    scopes: v.array(v.picklist(SCOPES)),
    allowed_vendors: orNull(v.array(v.string())),
    allowed_credentials: orNull(v.array(v.string())),
    allowed_endpoints: orNull(v.array(v.string())),
    highest: caps,
    expires_in_s: orNull(whole),
    own: caps,
    issuer_id: v.string(),
    above: v.optional(v.array(v.string()), []),
    issued_at: whole,
  }),
  v.transform(
    (item): ApiKey => ({
      apiKeyId: item.api_key_id,
      name: item.name,
      secretHash: item.secret_hash,
      scopes: item.scopes,
      vendors: item.allowed_vendors,
      credentials: item.allowed_credentials,
      ceilings: { caps: item.highest, endpoints: item.allowed_endpoints, expiresInS: item.expires_in_s },
      caps: item.own,
      issuerId: item.issuer_id,
      above: item.above,
      issuedAtMs: item.issued_at,
    }),
  ),
);

export const readApiKeyItem = (item: Item): ApiKey => v.parse(schema, read(item));

const capsMap = ({ daily, total, perCall }: ApiKey["caps"]) => ({
  daily_cap: daily,
  total_cap: total,
  per_call_cap: perCall,
});

export const apiKeyItem = (apiKey: ApiKey): Item => ({
  ...apiKeyKey(apiKey.apiKeyId),
  ...written({
    api_key_id: apiKey.apiKeyId,
    name: apiKey.name,
    secret_hash: apiKey.secretHash,
    scopes: apiKey.scopes,
    allowed_vendors: apiKey.vendors ?? undefined,
    allowed_credentials: apiKey.credentials ?? undefined,
    allowed_endpoints: apiKey.ceilings.endpoints ?? undefined,
    highest: capsMap(apiKey.ceilings.caps),
    expires_in_s: apiKey.ceilings.expiresInS ?? undefined,
    own: capsMap(apiKey.caps),
    issuer_id: apiKey.issuerId,
    above: apiKey.above.length === 0 ? undefined : apiKey.above,
    issued_at: apiKey.issuedAtMs,
  }),
});

/** What the sort keys of the list begin with; the time of issue and the id follow. */
export const PLACE = "API_KEY#";

export const apiKeyEntry = (apiKey: ApiKey): Item => ({
  pk: { S: API_KEY_LIST },
  sk: { S: `${PLACE}${isoTime(apiKey.issuedAtMs)}#${apiKey.apiKeyId}` },
  ...written({ api_key_id: apiKey.apiKeyId }),
});
