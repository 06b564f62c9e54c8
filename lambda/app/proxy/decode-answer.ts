import { brotliDecompressSync, gunzipSync, inflateRawSync, inflateSync, zstdDecompressSync } from "node:zlib";
import type { Headers } from "../../domain/vendor.ts";

/**
 * What a vendor's answer says once it is decoded. Read here once: money and secrets are looked for in the same bytes.
 *
 * We ask for `identity`, and a vendor or what stands before it may compress all the same. RFC 9110, 8.4, and RFC 9112, 7,
 * read 2026-11-27.
 */

/** More than any answer that can be passed on: a few bytes can decode to gigabytes. */
export const DECODED_BYTES_MAX = 10_000_000;
/** Codings in a row: more are nobody's. */
const CODINGS_MAX = 3;

interface Bounds {
  readonly maxOutputLength: number;
  readonly info: true;
}

type Decode = (body: Uint8Array, options: Bounds) => unknown;

interface Decoded {
  readonly buffer: Uint8Array;
  readonly engine: { readonly bytesWritten: number };
}

/** Servers send `deflate` with and without the header of zlib, and clients read both. */
const inflate: Decode = (body, options) =>
  ((body[0] ?? 0) & 0x0f) === 8 ? inflateSync(body, options) : inflateRawSync(body, options);

const DECODERS: Readonly<Record<string, Decode>> = {
  gzip: gunzipSync,
  "x-gzip": gunzipSync,
  deflate: inflate,
  br: brotliDecompressSync,
  zstd: zstdDecompressSync,
};

/** Charsets in which a letter of ASCII is its byte, so that a text in them is read as if it were UTF-8. */
const ASCII_BASED = /^(utf-?8|us-ascii|ascii|iso-8859-\d+|iso8859-\d+|latin-?1|windows-125\d|cp125\d)$/;
const UTF_16 = /^utf-?16(le|be)?$/;

const listed = (headers: Headers, name: string): readonly string[] =>
  (headers[name] ?? [])
    .flatMap((value) => value.toLowerCase().split(","))
    .map((value) => value.trim())
    .filter((value) => value !== "" && value !== "identity");

/** The body without its codings and in UTF-8, or null for one that cannot be read here: then nobody else may read it. */
export function decodedBody(headers: Headers, body: Uint8Array): Uint8Array | null {
  const codings = listed(headers, "content-encoding");
  // The connection's own coding is taken off by nobody, and its header does not reach the caller.
  if (listed(headers, "transfer-encoding").some((coding) => coding !== "chunked")) return null;
  if (body.length === 0) return body;
  const plain = codings.length > CODINGS_MAX ? null : withoutCodings(codings, body);
  return plain === null ? null : inUtf8(headers, plain);
}

function withoutCodings(codings: readonly string[], body: Uint8Array): Uint8Array | null {
  let plain = body;
  for (const coding of [...codings].reverse()) {
    const decode = Object.hasOwn(DECODERS, coding) ? DECODERS[coding] : undefined;
    const decoded = decode === undefined ? null : whole(decode, plain);
    if (decoded === null) return null;
    plain = decoded;
  }
  return plain;
}

/** Null for what is corrupt, cut short or too large, and where something stands behind the end that a client may read. */
function whole(decode: Decode, body: Uint8Array): Uint8Array | null {
  try {
    const options: Bounds = { maxOutputLength: DECODED_BYTES_MAX, info: true };
    // With `info` it is this that is returned (nodejs.org/api/zlib.html, read 2026-11-27); the types do not say so.
    const { buffer, engine } = decode(body, options) as Decoded;
    return engine.bytesWritten === body.length ? buffer : null;
  } catch {
    return null;
  }
}

/** A mark at the beginning tells the charset, else the header. Null for one in which ASCII could stand as anything. */
function inUtf8(headers: Headers, body: Uint8Array): Uint8Array | null {
  const [first, second] = body;
  if (first === 0xff && second === 0xfe) return transcoded("utf-16le", body);
  if (first === 0xfe && second === 0xff) return transcoded("utf-16be", body);
  const types = headers["content-type"] ?? [];
  const named = types.flatMap((type) => [...type.matchAll(/charset\s*=\s*["']?([^"';,\s]*)/gi)]);
  const charsets = named.map(([, charset = ""]) => charset.toLowerCase()).filter((charset) => charset !== "");
  const other = charsets.find((charset) => !ASCII_BASED.test(charset));
  if (other === undefined) return body;
  if (charsets.length > 1 || !UTF_16.test(other)) return null;
  return transcoded(other.endsWith("be") ? "utf-16be" : "utf-16le", body);
}

const transcoded = (charset: "utf-16le" | "utf-16be", body: Uint8Array): Uint8Array =>
  new TextEncoder().encode(new TextDecoder(charset).decode(body));
