import { parseApiKey } from "./api-key.ts";
import { parseVaultKey } from "./vault-key.ts";
import type { SecretShape } from "./vendor-manifest.ts";

/**
 * What secrets look like. One list serves three purposes: telling callers which kind of key they sent, removing secrets
 * from text that is stored, and refusing them in text that callers ask us to store. The vendors' manifests have the
 * secrets of vendors.
 */
export interface Secrets {
  /** Says which kind of secret a string looks like, without repeating any of it. */
  looksLike(token: string): string;
  /** Removes everything that looks like a secret, for stored text of callers. */
  redact(text: string): string;
  /**
   * The kind of secret in a text, or null where there is no known one. `known`: secrets without a recognisable shape.
   */
  secretIn(text: string, known?: readonly string[]): string | null;
}

/** What was drawn at random, and no word such as that of `sync_kb_documents`: eight characters with a digit, or many. */
const NO_WORD = "(?:(?=[A-Za-z]*[0-9])[A-Za-z0-9]{8,}|[A-Za-z0-9]{24,})";

const OF_KEYBRAKE: readonly SecretShape[] = [
  {
    name: "a vault key that is mistyped or cut short",
    token: /^(kbvk|vk_)/i,
    inText: new RegExp(`kbvk[A-Za-z0-9]{8,}|vk_${NO_WORD}`, "gi"),
  },
  {
    name: "an API key of Keybrake, which manages keys and calls no vendor",
    token: /^(kbak|kb_)/i,
    inText: new RegExp(`kbak[A-Za-z0-9]{8,}|kb_${NO_WORD}`, "gi"),
  },
];

const OF_ANYBODY: readonly SecretShape[] = [
  {
    name: "a header with a credential",
    token: /^(bearer|basic)\b/i,
    inText: /bearer\s+[A-Za-z0-9._~+/=-]{16,}/gi,
  },
];

/** Knows our own secrets, headers, and those of `shapes`: the first that fits a token names it. */
export function secretsLike(shapes: readonly SecretShape[]): Secrets {
  const kinds = kindsOf([...OF_KEYBRAKE, ...shapes, ...OF_ANYBODY]);
  return {
    looksLike(token) {
      if (parseApiKey(token) !== null)
        return "an API key of Keybrake, which manages keys and calls no vendor";
      if (parseVaultKey(token) !== null) return "a vault key, which calls its vendor and manages only itself";
      return kinds.all.find((kind) => kind.token.test(token))?.name ?? "an unknown kind of key";
    },
    redact(text) {
      let redacted = "";
      let at = 0;
      for (const { from, to, shown } of secretsIn(text, kinds)) {
        if (to <= at) continue;
        redacted += `${text.slice(at, Math.max(at, from))}${shown}[redacted]`;
        at = to;
      }
      return redacted + text.slice(at);
    },
    secretIn(text, known = []) {
      const all = known.length === 0 ? kinds : kindsOf([...kinds.all, ...known.map(literally)]);
      return secretsIn(text, all)[0]?.name ?? null;
    },
  };
}

interface Kinds {
  readonly all: readonly SecretShape[];
  /** Whether a text holds one of any kind: most do not, and every call has several texts. */
  readonly ofAny: RegExp;
}

const kindsOf = (all: readonly SecretShape[]): Kinds => ({
  all,
  ofAny: new RegExp(all.flatMap(({ inText }) => inText?.source ?? []).join("|"), "i"),
});

const literally = (secret: string): SecretShape => ({
  name: "an API key of Keybrake, which manages keys and calls no vendor",
  token: /^$/,
  inText: new RegExp(secret.replace(/[^A-Za-z0-9]/g, "\\$&"), "gi"),
});

/** The place of a secret in a text, and the part of it that may be shown. */
interface Found {
  readonly name: string;
  readonly from: number;
  readonly to: number;
  readonly shown: string;
}

/** All secrets of a text in order: as they are, behind escapes, and inside of base64 and of hexadecimal. */
function secretsIn(text: string, kinds: Kinds): readonly Found[] {
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

const plainSecrets = (text: string, { all, ofAny }: Kinds): readonly Found[] =>
  (ofAny.test(text) ? all : []).flatMap(({ name, inText }) =>
    inText === undefined
      ? []
      : [...text.matchAll(inText)].map(({ index, 0: secret }) => ({
          name,
          from: index,
          to: index + secret.length,
          shown: /^(?:[a-z]{1,6}_|kbvk|kbak|bearer\s|..)/i.exec(secret)?.[0] ?? "",
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
const inBase64 = (text: string, kinds: Kinds): readonly Found[] =>
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

const inHexadecimal = (text: string, kinds: Kinds): readonly Found[] =>
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
