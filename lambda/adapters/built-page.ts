import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** A file of the dashboard's page, with its compressed forms where there are any. */
export interface PageFile {
  readonly name: string;
  /** A digest of the contents, for `ETag`. */
  readonly digest: string;
  readonly contents: Uint8Array;
  readonly br: Uint8Array | null;
  readonly gzip: Uint8Array | null;
}

/** Name -> file. */
export type Page = ReadonlyMap<string, PageFile>;

/**
 * The files that bin/page.ts put into `folder`, read once. What is served is looked up among them: no path is ever made of
 * what a caller sends.
 */
export function builtPage(folder: string): Page {
  const names = new Set(readdirSync(folder));
  const contents = (name: string) => (names.has(name) ? readFileSync(join(folder, name)) : null);
  const files = [...names].flatMap((name): [string, PageFile][] => {
    if (/\.(br|gz)$/.test(name)) return [];
    const plain = readFileSync(join(folder, name));
    const digest = createHash("sha256").update(plain).digest("base64url").slice(0, 22);
    return [
      [name, { name, digest, contents: plain, br: contents(`${name}.br`), gzip: contents(`${name}.gz`) }],
    ];
  });
  return new Map(files);
}
