/** The one-time code of an address such as `…/dashboard#code=abc`, or null. It is in no log, since the part behind `#` is never sent. */
export const codeIn = (hash: string): string | null =>
  /^#code=([A-Za-z0-9_-]{8,200})$/.exec(hash)?.[1] ?? null;

/** What somebody typed: an API key, or a one-time code. */
export const credentialOf = (typed: string): { readonly api_key: string } | { readonly code: string } => {
  const text = typed.trim();
  return /^code[_-]|^kbco/.test(text) ? { code: text } : { api_key: text };
};
