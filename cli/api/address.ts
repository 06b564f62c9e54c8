import { wrongUse } from "../failure.ts";

export const URL_VARIABLE = "KEYBRAKE_URL";
/** Where `npm start` listens. */
export const LOCAL_URL = "http://127.0.0.1:8787";

/** The base address without a slash at its end. Throws a Failure for what is no plain http or https address. */
export function baseUrlOf(given: string | undefined): string {
  const text = (given ?? "").trim() || LOCAL_URL;
  const url = URL.parse(text);
  const isPlain =
    url !== null &&
    /^https?:$/.test(url.protocol) &&
    url.username === "" &&
    url.password === "" &&
    url.search === "" &&
    url.hash === "";
  if (!isPlain)
    throw wrongUse(
      `${URL_VARIABLE} is not a base address; expected one such as ${LOCAL_URL} or https://abc123.execute-api.us-east-1.amazonaws.com/prod`,
    );
  return `${url.origin}${url.pathname.replace(/\/+$/, "")}`;
}
