/** The id of an API key. Throws a RangeError for anything else, before it is sent or shown. */
function apiKeyIdOf(input: string): string {
  if (/^ak_[A-Za-z0-9]+$/.test(input)) return input;
  throw new RangeError(
    "expected the id of an API key, ak_…; a secret belongs in a variable and never in arguments",
  );
}

export const API_KEY_ID = { parse: apiKeyIdOf, brief: "id of the API key", placeholder: "ID" } as const;
