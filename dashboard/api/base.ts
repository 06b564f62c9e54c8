/**
 * Where the API is: the folder above the one that this script was loaded from. So a stage prefix (`/prod/dashboard/app.js`)
 * needs no setting, and no other host is ever asked.
 */
const BASE = new URL("../", import.meta.url);

export type Parameters = Readonly<Record<string, string | number | undefined>>;

/** The address of an endpoint with its query; parameters without a value are left out. */
export function addressOf(path: string, parameters: Parameters = {}): URL {
  const url = new URL(path, BASE);
  for (const [name, value] of Object.entries(parameters))
    if (value !== undefined && value !== "") url.searchParams.set(name, String(value));
  return url;
}
