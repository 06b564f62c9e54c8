import { parseVaultKey } from "./vault-key.ts";

/**
 * What secrets look like: one list for telling a caller which kind of key it sent, for taking secrets out of text that is
 * written down, and for refusing them where a caller asks us to keep a text.
 *
 * Prefixes of Stripe: docs.stripe.com/keys (sk_, rk_, of organizations sk_org_), docs.stripe.com/webhooks (whsec_) and
 * the client secrets of its objects (`pi_…_secret_…`). Of Resend: `re_`, 8 and 24 letters and digits. Read 2026-11-27.
 *
 * No secrets, so left as they are: `pk_…`, which is meant for browsers, and account SIDs. 32 hexadecimal digits alone may be
 * an auth token of Twilio, and are every trace id and MD5 too: they are taken for one only behind its name or a SID.
 */
interface Kind {
  readonly name: string;
  /** How a token of this kind begins, or all of it: mistyped ones too. */
  readonly token: RegExp;
  /** How one stands in a text; absent for what may be read by everybody. */
  readonly inText?: RegExp;
}

/** Behind a letter it may be the end of a word, `task_test_1`, unless it is long. */
const ofStripe = (prefix: string): RegExp =>
  new RegExp(
    `(?<![A-Za-z])${prefix}_(?:live|test|prod)_[A-Za-z0-9]+|${prefix}_(?:live|test|prod)_[A-Za-z0-9]{16,}`,
    "gi",
  );

/** What was drawn at random, and no word such as that of `sync_kb_documents`: eight characters with a digit, or many. */
const NO_WORD = "(?:(?=[A-Za-z]*[0-9])[A-Za-z0-9]{8,}|[A-Za-z0-9]{24,})";

const KINDS: readonly Kind[] = [
  {
    name: "a vault key that is mistyped or cut short",
    token: /^(kbvk|vk_)/i,
    inText: new RegExp(`kbvk[A-Za-z0-9]{8,}|vk_${NO_WORD}`, "gi"),
  },
  {
    name: "an API key of Keybrake, which manages keys and calls no vendor",
    token: /^kb_/i,
    inText: new RegExp(`kb_${NO_WORD}`, "gi"),
  },
  {
    name: "a key of an organization at Stripe",
    token: /^[sr]k_org_/i,
    inText: ofStripe("[sr]k_org"),
  },
  {
    name: "an ephemeral key of Stripe",
    token: /^ek_(live|test)_/i,
    inText: ofStripe("ek"),
  },
  { name: "a publishable key of Stripe", token: /^pk_(org_)?(live|test)_/i },
  {
    name: "a secret key of Stripe",
    token: /^[a-z]k_(live|test)_/i,
    // Other letters stand before words too: `uk_live_orders`.
    inText: new RegExp(`${ofStripe("[sr]k").source}|[a-oq-z]k_(?:live|test|prod)_[A-Za-z0-9]{16,}`, "gi"),
  },
  {
    name: "the signing secret of a webhook",
    token: /^whsec_/i,
    inText: /whsec_[A-Za-z0-9+/=_-]{3,}/gi,
  },
  {
    name: "a client secret of Stripe",
    token: /^[a-z]+_[A-Za-z0-9]+_secret_/i,
    // `rotate_stripe_secret_quarterly` is none: an id has a digit, or is long.
    inText:
      /[a-z]{2,30}_(?:(?=[A-Za-z]*\d|[A-Za-z0-9]{14})[A-Za-z0-9]{4,64}_secret_[A-Za-z0-9]{8,}|client_secret_[A-Za-z0-9]{16,})/gi,
  },
  {
    name: "a credential of Twilio",
    token: /^(AC|SK)[0-9a-f]{32}:/i,
    inText: /(?:AC|SK)[0-9a-f]{32}:[^\s"&]+/gi,
  },
  {
    name: "an account or key SID of Twilio",
    token: /^(AC|SK)[0-9a-f]{32}$/i,
    // Half of a pair, and never there by accident.
    inText: /(?<![A-Za-z0-9])SK[0-9a-f]{32}(?![0-9a-f])/gi,
  },
  {
    name: "an auth token of Twilio",
    token: /^[0-9a-f]{32}$/i,
    inText: /auth[ _-]?token["']?[\s:=]+["']?[0-9a-f]{32}/gi,
  },
  {
    name: "an API key of Resend",
    token: /^re_/i,
    // Only this prefix also ends words, so no letter may precede; ids of refunds have no second part.
    inText: /(?<![A-Za-z])re_[A-Za-z0-9]{6,}_[A-Za-z0-9]{12,}/gi,
  },
  {
    name: "a header with a credential",
    token: /^(bearer|basic)\b/i,
    inText: /bearer\s+[A-Za-z0-9._~+/=-]{16,}/gi,
  },
];

/** Says which kind of secret a string looks like, without repeating any of it. */
export function looksLike(token: string): string {
  if (parseVaultKey(token) !== null)
    return "a vault key, which calls its vendor and manages nothing but itself";
  return KINDS.find((kind) => kind.token.test(token))?.name ?? "no kind of key that is known here";
}

/** Takes out whatever looks like a secret, for text of callers that is written down. */
export function redact(text: string): string {
  let redacted = "";
  let at = 0;
  for (const { from, to, shown } of secretsIn(text)) {
    if (to <= at) continue;
    redacted += `${text.slice(at, Math.max(at, from))}${shown}[redacted]`;
    at = to;
  }
  return redacted + text.slice(at);
}

/** What kind of secret stands in a text, or null where none is known to. `known`: secrets that have no shape of their own. */
export const secretIn = (text: string, known: readonly string[] = []): string | null =>
  secretsIn(text, [...KINDS, ...known.map(literally)])[0]?.name ?? null;

const literally = (secret: string): Kind => ({
  name: "an API key of Keybrake, which manages keys and calls no vendor",
  token: /^$/,
  inText: new RegExp(secret.replace(/[^A-Za-z0-9]/g, "\\$&"), "gi"),
});

/** Where a secret stands in a text, and what of it may be shown. */
interface Found {
  readonly name: string;
  readonly from: number;
  readonly to: number;
  readonly shown: string;
}

/** All secrets of a text in order: as they are, behind escapes, and inside of base64 and of hexadecimal. */
function secretsIn(text: string, kinds: readonly Kind[] = KINDS): readonly Found[] {
  const read = withoutEscapes(text);
  const found = [
    ...plainSecrets(read.text, kinds),
    ...basicHeaders(read.text),
    ...inBase64(read.text, kinds),
    ...inHexadecimal(read.text, kinds),
  ];
  return found
    .map((one) => ({ ...one, from: placeIn(read, one.from), to: placeIn(read, one.to) }))
    .sort((one, other) => one.from - other.from);
}

/** Whether a text holds one of any kind: most do not, and every call has several texts. */
const OF_ANY_KIND = new RegExp(KINDS.flatMap(({ inText }) => inText?.source ?? []).join("|"), "i");

const plainSecrets = (text: string, kinds: readonly Kind[]): readonly Found[] =>
  (kinds === KINDS && !OF_ANY_KIND.test(text) ? [] : kinds).flatMap(({ name, inText }) =>
    inText === undefined
      ? []
      : [...text.matchAll(inText)].map(({ index, 0: secret }) => ({
          name,
          from: index,
          to: index + secret.length,
          shown: /^(?:[a-z]{1,6}_|kbvk|bearer\s|..)/i.exec(secret)?.[0] ?? "",
        })),
  );

/** A header `Authorization: Basic …` that was pasted whole: any user and any password. */
const basicHeaders = (text: string): readonly Found[] =>
  [...text.matchAll(/(basic\s+)([A-Za-z0-9+/_-]{8,}={0,2})/gi)].flatMap(
    ({ index, 0: all, 1: shown = "", 2: pair = "" }) =>
      /^[\x20-\x7e]*:[\x20-\x7e]*$/.test(Buffer.from(pair, "base64").toString("latin1"))
        ? [{ name: "a header with a credential", from: index, to: index + all.length, shown }]
        : [],
  );

const BASE64 = /[A-Za-z0-9+/_-]{16,}/g;

/** In a run of base64 a secret may begin at each of four places. */
const inBase64 = (text: string, kinds: readonly Kind[]): readonly Found[] =>
  [...text.matchAll(BASE64)].flatMap(({ index, 0: run }) =>
    [0, 1, 2, 3].flatMap((offset) =>
      plainSecrets(Buffer.from(run.slice(offset), "base64").toString("latin1"), kinds).map((found) => ({
        ...found,
        from: index + offset + Math.floor((found.from * 4) / 3),
        to: index + Math.min(run.length, offset + Math.ceil((found.to * 4) / 3)),
        shown: "",
      })),
    ),
  );

const HEXADECIMAL = /[0-9a-f]{24,}/gi;

const inHexadecimal = (text: string, kinds: readonly Kind[]): readonly Found[] =>
  [...text.matchAll(HEXADECIMAL)].flatMap(({ index, 0: run }) =>
    [0, 1].flatMap((offset) =>
      plainSecrets(Buffer.from(run.slice(offset), "hex").toString("latin1"), kinds).map((found) => ({
        ...found,
        from: index + offset + 2 * found.from,
        to: index + offset + 2 * found.to,
        shown: "",
      })),
    ),
  );

/**
 * A text with its escapes read; `from`: where each character of it stands in the text as it was, and where that ends. Null
 * where nothing was escaped.
 */
interface Read {
  readonly text: string;
  readonly from: readonly number[] | null;
}

const placeIn = ({ from }: Read, at: number): number => (from === null ? at : (from[at] ?? from.at(-1) ?? 0));

const ESCAPES = /%([0-9a-f]{2})|\\u([0-9a-f]{4})|\\x([0-9a-f]{2})|&#x([0-9a-f]{2,4});|&#([0-9]{2,5});/gi;
/** An escape may be escaped again, by one program after the other. */
const ESCAPED_MAX = 4;

function withoutEscapes(text: string): Read {
  let read: Read = { text, from: null };
  for (let times = 0; times < ESCAPED_MAX && read.text.search(ESCAPES) >= 0; times++) read = unescaped(read);
  return read;
}

function unescaped(read: Read): Read {
  const { text } = read;
  const characters: string[] = [];
  const starts: number[] = [];
  let at = 0;
  const copy = (until: number) => {
    for (; at < until; at++) {
      characters.push(text[at] ?? "");
      starts.push(placeIn(read, at));
    }
  };
  for (const { index, 0: escaped, 5: decimal, ...groups } of text.matchAll(ESCAPES)) {
    copy(index);
    const hex = groups[1] ?? groups[2] ?? groups[3] ?? groups[4];
    characters.push(String.fromCharCode(hex === undefined ? Number(decimal) : Number.parseInt(hex, 16)));
    starts.push(placeIn(read, index));
    at = index + escaped.length;
  }
  copy(text.length);
  return { text: characters.join(""), from: [...starts, placeIn(read, text.length)] };
}
