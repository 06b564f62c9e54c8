/** A one-time code, as an address or a person has it. */
const CODE = /^[A-Za-z0-9]{32}$/;

/** The one-time code of an address such as `…/dashboard#code=abc`, or null. It is in no log: the part behind `#` is never sent. */
export function codeIn(address: string): string | null {
  const code = address.split("#code=")[1] ?? "";
  return CODE.test(code) ? code : null;
}

export type Credential = { readonly api_key: string } | { readonly code: string };

/** What somebody typed may be, in the order in which it is tried: a code looks like some API keys of a person's own. */
export function credentialsOf(typed: string): readonly Credential[] {
  const text = typed.trim();
  const code = codeIn(text);
  if (code !== null) return [{ code }];
  return CODE.test(text) ? [{ code: text }, { api_key: text }] : [{ api_key: text }];
}
