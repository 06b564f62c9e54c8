/**
 * Links to pages in an answer. Clients follow them, straight to Twilio, with a vault key that Twilio does not know.
 */

const LINKS = new Set(["next_page_url", "previous_page_url", "first_page_url", "url"]);
const TOKEN = /"[^"\\]*(?:\\.[^"\\]*)*"|[{}[\]:,]/g;
const AT_TWILIO = /^https:\/\/([a-z0-9-]+)\.twilio\.com\//i;

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
export function rewriteLinks(body: string, baseUrl: string): string {
  if (!/meta|\\u/.test(body) || !isJson(body)) return body;
  const open: Open[] = [];
  return body.replace(TOKEN, (token) => {
    const inner = open.at(-1);
    if (token === "{" || token === "[") open.push({ isObject: token === "{", key: "", isBeforeColon: true });
    else if (token === "}" || token === "]") open.pop();
    else if (inner === undefined || !inner.isObject) return token;
    else if (token === ":" || token === ",") inner.isBeforeColon = token === ",";
    else if (inner.isBeforeColon) inner.key = JSON.parse(token);
    else if (open.length === 2 && open[0]?.key === "meta" && LINKS.has(inner.key))
      return ledToken(token, baseUrl);
    return token;
  });
}

/** An address may be written with escapes, which a client undoes before it follows it. */
function ledToken(token: string, baseUrl: string): string {
  const [start, host] = token.startsWith('"') ? (AT_TWILIO.exec(JSON.parse(token)) ?? []) : [];
  if (start === undefined || host === undefined) return token;
  return JSON.stringify(`${baseUrl}/${host.toLowerCase()}/${JSON.parse(token).slice(start.length)}`);
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
