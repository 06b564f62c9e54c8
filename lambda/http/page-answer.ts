import type { APIGatewayProxyResult } from "aws-lambda";
import type { Headers } from "../domain/vendor.ts";
import { answerBody } from "./answers.ts";

/** A file as it is served; its compressed forms are null where there are none. */
interface ServedFile {
  readonly name: string;
  readonly digest: string;
  readonly contents: Uint8Array;
  readonly br: Uint8Array | null;
  readonly gzip: Uint8Array | null;
}

/** The document: the only file whose name says nothing of its contents. */
export const DOCUMENT = "index.html";

const TYPES: Readonly<Record<string, string>> = {
  html: "text/html; charset=utf-8",
  js: "text/javascript; charset=utf-8",
  css: "text/css; charset=utf-8",
  svg: "image/svg+xml",
  png: "image/png",
  ico: "image/x-icon",
  woff2: "font/woff2",
  json: "application/json",
};

/**
 * The page may load and ask its own origin and nothing else, runs no script and no style that stands in a document, is in no
 * frame, and tells no address to anybody.
 */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "connect-src 'self'",
  "img-src 'self' data:",
  "frame-ancestors 'none'",
  "base-uri 'none'",
  "form-action 'none'",
].join("; ");

const GUARDS: Readonly<Record<string, string>> = {
  "Content-Security-Policy": POLICY,
  "X-Content-Type-Options": "nosniff",
  "Referrer-Policy": "no-referrer",
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Resource-Policy": "same-origin",
};

/** An answer of the dashboard, an error too, closed to other origins. */
export const guarded = (answer: APIGatewayProxyResult): APIGatewayProxyResult => ({
  ...answer,
  headers: { ...answer.headers, ...GUARDS },
});

/**
 * A file of the page. The document is asked for anew each time and answered with 304 where it is the same; the others have a
 * hash in their names, so a browser keeps them for a year.
 */
export function pageAnswer(file: ServedFile, headers: Headers, requestId: string): APIGatewayProxyResult {
  const tag = `"${file.digest}"`;
  const isDocument = file.name === DOCUMENT;
  const common = {
    "Cache-Control": isDocument ? "no-cache" : "public, max-age=31536000, immutable",
    ETag: tag,
    Vary: "Accept-Encoding",
    "Request-Id": requestId,
  };
  if (isKnown(headers, tag)) return { statusCode: 304, headers: common, body: "", isBase64Encoded: false };
  const { bytes, encoding } = encoded(file, headers);
  const type = TYPES[file.name.split(".").at(-1) ?? ""] ?? "application/octet-stream";
  return {
    statusCode: 200,
    headers: {
      "Content-Type": type,
      ...common,
      ...(encoding !== null && { "Content-Encoding": encoding }),
    },
    ...answerBody(bytes),
  };
}

/** Whether the caller has this very file. A cache between may have made the tag a weak one. */
const isKnown = (headers: Headers, tag: string): boolean =>
  (headers["if-none-match"] ?? [])
    .join()
    .split(",")
    .some((each) => each.trim().replace(/^W\//, "") === tag);

/**
 * Compressed bytes go to the gateway as base64, and it decodes them for a caller that names a type it accepts (docs/architecture.md,
 * "Answers at the gateway"). Every browser does; who sends no `Accept` gets text as it is.
 */
function encoded({ contents, br, gzip }: ServedFile, headers: Headers) {
  const accepted = (headers["accept-encoding"] ?? [])
    .join()
    .split(",")
    .map((each) => each.trim().toLowerCase())
    .filter((each) => !/;\s*q=0(\.0*)?$/.test(each))
    .map((each) => each.split(";")[0]?.trim());
  if (headers["accept"] === undefined) return { bytes: contents, encoding: null };
  if (br !== null && accepted.includes("br")) return { bytes: br, encoding: "br" };
  if (gzip !== null && accepted.includes("gzip")) return { bytes: gzip, encoding: "gzip" };
  return { bytes: contents, encoding: null };
}

/** Leads from what is below `/dashboard/` to `/dashboard`, from where the document's own references are right. */
export const toDocument = (requestId: string): APIGatewayProxyResult => ({
  statusCode: 308,
  headers: { Location: "../dashboard", "Cache-Control": "no-store", "Request-Id": requestId },
  body: "",
  isBase64Encoded: false,
});
