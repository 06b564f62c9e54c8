/** Addresses of pages in an answer. Clients follow them by themselves, straight to Twilio with a key that it does not know. */

const LINKS = new Set(["next_page_url", "previous_page_url", "first_page_url", "url"]);
const TOKEN = /"(?:[^"\\]|\\.)*"|[{}[\]:,]/g;
const AT_TWILIO = /^"https:\/\/([a-z0-9-]+)\.twilio\.com\//;

/** An object or a list that is open where we are. */
interface Open {
  readonly isObject: boolean;
  key: string;
  /** A text is a key, or the value of one. */
  isBeforeColon: boolean;
}

/**
 * Leads the links of `meta` to `baseUrl`, and leaves every other character as it is. The answer is read token by token,
 * so a text that looks like a link, or like a `meta`, stays a text.
 */
export function leadBack(body: string, baseUrl: string): string {
  if (!body.includes('"meta"') || !isJson(body)) return body;
  const base = JSON.stringify(baseUrl).slice(0, -1);
  const open: Open[] = [];
  return body.replace(TOKEN, (token) => {
    const inner = open.at(-1);
    if (token === "{" || token === "[") open.push({ isObject: token === "{", key: "", isBeforeColon: true });
    else if (token === "}" || token === "]") open.pop();
    else if (inner === undefined || !inner.isObject) return token;
    else if (token === ":" || token === ",") inner.isBeforeColon = token === ",";
    else if (inner.isBeforeColon) inner.key = token.slice(1, -1);
    else if (open.length === 2 && open[0]?.key === "meta" && LINKS.has(inner.key))
      return token.replace(AT_TWILIO, (_, host: string) => `${base}/${host}/`);
    return token;
  });
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
