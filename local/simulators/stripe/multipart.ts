import { createHash } from "node:crypto";
import { invalidRequest } from "./errors.ts";
import type { FormHash, FormValue } from "./form.ts";

/**
 * Reads a `multipart/form-data` body into a form. A part with a file name becomes a hash of its `filename`, its `size`
 * in bytes and the `sha256` of them, so that the same name with other bytes is another request.
 *
 * Throws a 400 on a body that is not of the boundary that its content type names.
 */
export function parseMultipart(body: Buffer, contentType: string): FormHash {
  const boundary = /boundary="?([^";]+)"?/i.exec(contentType)?.[1];
  if (boundary === undefined) throw invalidRequest("Invalid request: the multipart body has no boundary.");
  // One character for one byte, so that what is not text keeps its length.
  const text = `\r\n${body.toString("latin1")}`;
  const [preamble, ...parts] = text.split(`\r\n--${boundary}`);
  const last = parts.pop();
  if (preamble !== "" || last === undefined || !last.startsWith("--"))
    throw invalidRequest("Invalid request: the multipart body does not end.");

  const form = new Map<string, FormValue>();
  for (const part of parts) {
    const split = part.indexOf("\r\n\r\n");
    const headers = part.slice(0, split);
    const name = /; name="([^"]*)"/i.exec(headers)?.[1];
    if (split === -1 || name === undefined) throw invalidRequest("Invalid request: a part has no name.");
    const bytes = Buffer.from(part.slice(split + 4), "latin1");
    const filename = /; filename="([^"]*)"/i.exec(headers)?.[1];
    form.set(name, filename === undefined ? bytes.toString() : fileOf(filename, bytes));
  }
  return form;
}

function fileOf(filename: string, bytes: Buffer): FormHash {
  return new Map([
    ["filename", Buffer.from(filename, "latin1").toString() || "blob"],
    ["size", String(bytes.length)],
    ["sha256", createHash("sha256").update(bytes).digest("hex")],
  ]);
}
