/**
 * An address of an e-mail, read so strictly that it is one recipient however it is read.
 *
 * A string that one reader takes for one address and another for several would hide recipients: lists with commas or
 * semicolons, groups (`team: a@b.c;`), comments, quoted local parts, line breaks, routes through another host (`a%b@c`),
 * and encoded words (`=?utf-8?q?a=40b=2C?=`), which hide every sign of the others.
 * None of them is accepted. Letters beyond ASCII are, but in a name only: in an address two of them can look the same.
 */

const LOCAL = "[A-Za-z0-9.#$&'*+/=?^_`{|}~-]{1,64}";
const LABEL = "[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?";
const DOMAIN = `(?:${LABEL}\\.)+(?=[A-Za-z])${LABEL}`;

/** A name has none of the signs that addresses are told apart by, quoted or not, but for these between quotes. */
const NAME = '[^"\\\\<>@()\\[\\],;:\\p{Cc}\\p{Cs}\\u2028\\u2029]*';
const QUOTED_NAME = '"[^"\\\\<>@\\p{Cc}\\p{Cs}\\u2028\\u2029]*"';

const BARE = new RegExp(`^(${LOCAL})@(${DOMAIN})$`);
const NAMED = new RegExp(`^(?:${NAME}|${QUOTED_NAME} *)<([^<>]*)>$`, "u");
const ONLY_DOMAIN = new RegExp(`^${DOMAIN}$`);

const LENGTH_MAX = 320;

export const ADDRESS_ACCEPTED = 'exactly one address, such as "ann@example.com" or "Ann <ann@example.com>"';

/** The one address in `text`, bare and with its domain in small letters; or null. */
export function addressOf(text: string): string | null {
  if (text.length > 2 * LENGTH_MAX || text.includes("=?")) return null;
  const bare = NAMED.exec(text)?.[1] ?? text;
  const [, local, domain] = BARE.exec(bare) ?? [];
  return local === undefined || domain === undefined || bare.length > LENGTH_MAX
    ? null
    : `${local}@${domain.toLowerCase()}`;
}

/** Entries of `allowed_recipients`: a domain, or one bare address. */
export const RECIPIENTS = {
  accepted: 'a domain such as "example.com", without those below it, or an address such as "ann@example.com"',
  isEntry: (entry: string): boolean =>
    entry.length <= LENGTH_MAX && (ONLY_DOMAIN.test(entry) || BARE.test(entry)),
  allows: (entry: string, recipient: string): boolean => {
    const address = addressOf(recipient);
    if (address === null) return false;
    return entry.includes("@")
      ? address === addressOf(entry)
      : address.slice(address.indexOf("@") + 1) === entry.toLowerCase();
  },
} as const;
