import type { Caller } from "../app/keys/caller.ts";
import { isoTime } from "../domain/time.ts";
import type { Vendor } from "../domain/vendor.ts";
import { VENDOR_PAGES } from "../vendors/index.ts";

/** Who is signed in, and until when, as the page of the dashboard needs it. login-answer-schema.ts describes it. */
export function loginAnswer(
  { id, apiKey }: Caller,
  endsAtMs: number | null,
  {
    nowMs,
    baseUrl,
    vendors,
  }: { readonly nowMs: number; readonly baseUrl: string; readonly vendors: readonly Vendor[] },
) {
  return {
    api_key_id: id,
    name: apiKey?.name ?? "admin API key",
    scopes: apiKey?.scopes ?? ["admin"],
    allowed_vendors: apiKey?.vendors ?? null,
    allowed_credentials: apiKey?.credentials ?? null,
    ends_at: endsAtMs === null ? null : isoTime(endsAtMs),
    ends_in_s: endsAtMs === null ? null : Math.max(0, Math.floor((endsAtMs - nowMs) / 1000)),
    base_url: baseUrl,
    vendors: vendors.map(({ name, title }) => ({ name, title, page: VENDOR_PAGES[name] ?? null })),
  };
}
