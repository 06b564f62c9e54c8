import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync, zstdCompressSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { DECODED_BYTES_MAX, decodedBody } from "../../../lambda/app/proxy/decode-answer.ts";

/** Guarantees that compressed answers are read, and that what cannot be read is known to be unreadable. */

const TEXT = '{"id":"pi_1","amount":500}';
const bytes = Buffer.from(TEXT);
const utf16 = (text: string, big = false) => {
  const little = Buffer.from(text, "utf16le");
  return big ? little.swap16() : little;
};
const decoded = (headers: Readonly<Record<string, readonly string[]>>, body: Uint8Array): string | null => {
  const plain = decodedBody(headers, body);
  return plain === null ? null : Buffer.from(plain).toString();
};
const coded = (...values: readonly string[]) => ({ "content-encoding": values });
const typed = (...values: readonly string[]) => ({ "content-type": values });

describe("an answer is read without its codings", () => {
  test.each<[string, readonly string[], Uint8Array]>([
    ["none", [], bytes],
    ["an empty one", [""], bytes],
    ["identity", ["identity"], bytes],
    ["gzip", ["gzip"], gzipSync(bytes)],
    ["gzip by its old name", ["X-GZIP"], gzipSync(bytes)],
    ["gzip in two members", ["gzip"], Buffer.concat([gzipSync(TEXT.slice(0, 9)), gzipSync(TEXT.slice(9))])],
    ["deflate", ["deflate"], deflateSync(bytes)],
    ["deflate without the header of zlib", ["deflate"], deflateRawSync(bytes)],
    ["br", ["br"], brotliCompressSync(bytes)],
    ["zstd", ["zstd"], zstdCompressSync(bytes)],
    ["two in a list", ["deflate, gzip"], gzipSync(deflateSync(bytes))],
    ["two in two headers", ["br", "identity", "gzip"], gzipSync(brotliCompressSync(bytes))],
    ["three", ["gzip,gzip", "gzip"], gzipSync(gzipSync(gzipSync(bytes)))],
  ])("%s", (_, values, body) => {
    expect(decoded(coded(...values), body)).toBe(TEXT);
  });

  test("an empty body has none, whatever its headers say", () => {
    expect(decoded(coded("gzip"), new Uint8Array())).toBe("");
  });

  test.each<[string, readonly string[], Uint8Array]>([
    ["an unknown one", ["compress"], bytes],
    ["the name of an object's property", ["constructor"], bytes],
    ["another one than it has", ["br"], gzipSync(bytes)],
    ["one that it does not have", ["gzip"], bytes],
    ["two in the wrong order", ["gzip, br"], gzipSync(brotliCompressSync(bytes))],
    ["four", ["gzip, gzip, gzip, gzip"], gzipSync(gzipSync(gzipSync(gzipSync(bytes))))],
    ["one that is cut short", ["gzip"], gzipSync(bytes).subarray(0, -4)],
    ["something behind its end", ["br"], Buffer.concat([brotliCompressSync(bytes), bytes])],
    [
      "a second frame that is not read here",
      ["zstd"],
      Buffer.concat([zstdCompressSync(bytes), zstdCompressSync(bytes)]),
    ],
    ["more than may be", ["gzip"], gzipSync(Buffer.alloc(DECODED_BYTES_MAX + 1))],
    [
      "a bomb inside of another",
      ["gzip, br"],
      brotliCompressSync(gzipSync(Buffer.alloc(4 * DECODED_BYTES_MAX))),
    ],
  ])("it cannot be read with %s", (_, values, body) => {
    expect(decodedBody(coded(...values), body)).toBeNull();
  });

  test("it cannot be read where the connection codes it, since nobody takes that off", () => {
    expect(decodedBody({ "transfer-encoding": ["gzip, chunked"] }, gzipSync(bytes))).toBeNull();
    expect(decoded({ "transfer-encoding": ["chunked"] }, bytes)).toBe(TEXT);
  });
});

describe("an answer is read in its charset", () => {
  test.each<[string, readonly string[], Uint8Array]>([
    ["none", ["application/json"], bytes],
    ["UTF-8", ["application/json; charset=UTF-8"], bytes],
    ["an older one in which ASCII is ASCII", ["text/html; charset=windows-1252"], bytes],
    ["UTF-16 with a mark", ["application/json"], Buffer.concat([Buffer.from([0xff, 0xfe]), utf16(TEXT)])],
    ["UTF-16 the other way round", ["a/b"], Buffer.concat([Buffer.from([0xfe, 0xff]), utf16(TEXT, true)])],
    ["UTF-16 by its header", ['application/json; charset="utf-16"'], utf16(TEXT)],
    ["UTF-16BE by its header", ["application/json;charset=utf-16be"], utf16(TEXT, true)],
  ])("%s", (_, types, body) => {
    expect(decoded(typed(...types), body)).toBe(TEXT);
  });

  test("compressed on top of that", () => {
    expect(decoded({ ...coded("gzip"), ...typed("a/b; charset=utf-16le") }, gzipSync(utf16(TEXT)))).toBe(
      TEXT,
    );
  });

  test.each([
    ["a/b; charset=utf-7"],
    ["a/b; charset=cp037"],
    ["a/b; charset=utf-32"],
    ["a/b; charset=utf-16; charset=utf-8"],
    ["a/b; charset=utf-8", "a/b; charset=ibm1047"],
  ])("it cannot be read in %s", (...types) => {
    expect(decodedBody(typed(...types), bytes)).toBeNull();
  });
});
