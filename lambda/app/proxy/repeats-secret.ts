/**
 * Whether what a vendor answers repeats its credential, in any spelling that is usual or that a client undoes by itself.
 * docs/decisions/0025-reading-answers.md says which are looked for, and which are not.
 *
 * It works on bytes, one after the other: a credential is ASCII, and an answer may have megabytes of escapes.
 */

const [BACKSLASH, PERCENT, AMPERSAND, HASH, SEMICOLON] = [0x5c, 0x25, 0x26, 0x23, 0x3b];
const [LETTER_U, LETTER_X, OPEN, CLOSE] = [0x75, 0x78, 0x7b, 0x7d];
/** Stands for what is not ASCII. */
const OTHER = 0x3f;

/** What may stand behind a backslash by itself: in JSON these are controls. */
const CONTROLS: Readonly<Record<number, number>> = { 110: 10, 114: 13, 116: 9, 98: 8, 102: 12 };

/** Entities of HTML for what is in credentials. html.spec.whatwg.org, "Named character references", read 2026-11-27. */
const ENTITIES: Readonly<Record<string, string>> = {
  lowbar: "_",
  UnderBar: "_",
  amp: "&",
  colon: ":",
  period: ".",
  sol: "/",
  plus: "+",
  equals: "=",
  percnt: "%",
  bsol: "\\",
  num: "#",
};
const ENTITY_LENGTH_MAX = 8;

/** Escapes inside of escapes are undone this often: JSON in a text of JSON, in one of its addresses. */
const ROUNDS = 4;
/** Of a shorter text the encoded middle stands in many an answer by chance. */
const ENCODED_LENGTH_MIN = 6;

/** A character that was escaped, and how many bytes its escape has. */
interface Escaped {
  readonly code: number;
  readonly length: number;
}

const digitOf = (byte: number | undefined, base: 10 | 16): number => {
  if (byte === undefined) return -1;
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const letter = (byte | 0x20) - 0x61;
  return base === 16 && letter >= 0 && letter < 6 ? letter + 10 : -1;
};

/** A number of `least` to `most` digits; `length` counts them. */
function numberAt(bytes: Uint8Array, at: number, base: 10 | 16, least: number, most: number): Escaped | null {
  let code = 0;
  let length = 0;
  for (; length < most; length++) {
    const digit = digitOf(bytes[at + length], base);
    if (digit < 0) break;
    code = code * base + digit;
  }
  return length < least ? null : { code, length };
}

const longer = (escaped: Escaped | null, by: number): Escaped | null =>
  escaped === null ? null : { ...escaped, length: escaped.length + by };

function escapedAt(bytes: Uint8Array, at: number): Escaped | null {
  const next = bytes[at + 1];
  switch (bytes[at]) {
    case PERCENT:
      return longer(numberAt(bytes, at + 1, 16, 2, 2), 1);
    case BACKSLASH: {
      if (next === undefined) return null;
      if (next === LETTER_X) return longer(numberAt(bytes, at + 2, 16, 2, 2), 2);
      if (next !== LETTER_U) return { code: CONTROLS[next] ?? next, length: 2 };
      if (bytes[at + 2] !== OPEN) return longer(numberAt(bytes, at + 2, 16, 4, 4), 2);
      const braced = numberAt(bytes, at + 3, 16, 1, 6);
      return bytes[at + 3 + (braced?.length ?? 0)] === CLOSE ? longer(braced, 4) : null;
    }
    case AMPERSAND:
      return next === HASH ? numericEntityAt(bytes, at) : namedEntityAt(bytes, at);
    default:
      return null;
  }
}

function numericEntityAt(bytes: Uint8Array, at: number): Escaped | null {
  const isHex = ((bytes[at + 2] ?? 0) | 0x20) === LETTER_X;
  const number = isHex ? numberAt(bytes, at + 3, 16, 1, 6) : numberAt(bytes, at + 2, 10, 1, 7);
  const length = (isHex ? 3 : 2) + (number?.length ?? 0);
  return number === null ? null : { ...number, length: length + (bytes[at + length] === SEMICOLON ? 1 : 0) };
}

function namedEntityAt(bytes: Uint8Array, at: number): Escaped | null {
  let length = 0;
  while (bytes[at + 1 + length] !== SEMICOLON) if (++length > ENTITY_LENGTH_MAX) return null;
  const name = latin1(bytes.subarray(at + 1, at + 1 + length));
  const character = Object.hasOwn(ENTITIES, name) ? ENTITIES[name] : undefined;
  return character === undefined ? null : { code: character.charCodeAt(0), length: length + 2 };
}

/** The bytes with their escapes undone once, or null where there are none. */
function unescaped(bytes: Uint8Array): Uint8Array | null {
  if (![BACKSLASH, PERCENT, AMPERSAND].some((byte) => bytes.includes(byte))) return null;
  const plain = new Uint8Array(bytes.length);
  let length = 0;
  for (let at = 0; at < bytes.length; ) {
    const byte = bytes[at] ?? 0;
    const isSpecial = byte === BACKSLASH || byte === PERCENT || byte === AMPERSAND;
    const escaped = isSpecial ? escapedAt(bytes, at) : null;
    plain[length++] = escaped === null ? byte : escaped.code > 0x7f ? OTHER : escaped.code;
    at += escaped?.length ?? 1;
  }
  return length === bytes.length ? null : plain.subarray(0, length);
}

/** The bytes, and what they become with their escapes undone once, twice and so on. */
function unfolded(bytes: Uint8Array): readonly Uint8Array[] {
  const views = [bytes];
  for (let round = 0; round < ROUNDS; round++) {
    const next = unescaped(views.at(-1) ?? bytes);
    if (next === null) break;
    views.push(next);
  }
  return views;
}

/** What base64 makes of a text wherever it stands in a longer one: without the characters that its neighbours share. */
function base64Within(secret: string): readonly string[] {
  const bytes = Buffer.from(secret);
  return [0, 1, 2].map((before) => {
    const whole = Buffer.concat([Buffer.alloc(before), bytes]);
    const encoded = whole.toString("base64").replace(/=+$/, "");
    const shared = whole.length % 3 === 0 ? 0 : 1;
    return encoded.slice([0, 2, 3][before], encoded.length - shared);
  });
}

const latin1 = (bytes: Uint8Array): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1");

/** Finds secrets in bytes and headers; made once for each credential that is sent. */
export class SecretFinder {
  readonly #plain: readonly string[];
  readonly #base64: readonly string[];
  readonly #hex: readonly string[];

  constructor(secrets: readonly string[]) {
    const some = secrets.filter((secret) => secret !== "");
    const long = some.filter(({ length }) => length >= ENCODED_LENGTH_MIN);
    this.#plain = some.flatMap((secret) => unfolded(Buffer.from(secret)).map(latin1));
    const usual = long.flatMap(base64Within);
    const forAddresses = usual.map((text) => text.replaceAll("+", "-").replaceAll("/", "_"));
    this.#base64 = [...new Set([...usual, ...forAddresses])];
    this.#hex = long.map((secret) => Buffer.from(secret).toString("hex"));
  }

  inBytes(body: Uint8Array): boolean {
    // Without zeros the wide charsets write ASCII as it is, whether or not they are declared.
    return this.#inPlain(body) || (body.includes(0) && this.#inPlain(body.filter((byte) => byte !== 0)));
  }

  /** All of them are searched as one text. No header holds a zero, and no escape, base64 or hexadecimal goes on behind one. */
  inHeaders(rawHeaders: readonly (readonly [string, string])[]): boolean {
    return this.#inPlain(Buffer.from(rawHeaders.flat().join("\0"), "latin1"));
  }

  #inPlain(bytes: Uint8Array): boolean {
    return unfolded(bytes).some((view) => {
      const text = latin1(view);
      if (this.#plain.some((secret) => text.includes(secret))) return true;
      if (this.#base64.some((secret) => text.includes(secret))) return true;
      // Base64 is often broken into lines.
      const joined = /[\r\n]/.test(text) ? text.replace(/\s+/g, "") : text;
      if (joined !== text && this.#base64.some((secret) => joined.includes(secret))) return true;
      const small = text.toLowerCase();
      return this.#hex.some((secret) => small.includes(secret));
    });
  }
}
