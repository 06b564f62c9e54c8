/**
 * Names that some server takes for one another. Go's and .NET's parsers ignore case, some frameworks take `num_images` for
 * `numImages`, PHP takes `n[]` and `n.x` for `n`; and letters that look alike fold into one (RFC 8265, read 2026-11-28).
 */

const ASCII = /^[\x20-\x7e]*$/;

/** What is left of a name once case, separators and compatible letters are the same. */
export const folded = (name: string): string =>
  ASCII.test(name)
    ? name.toLowerCase().replace(/[^a-z0-9]/g, "")
    : name
        .normalize("NFKC")
        .toUpperCase()
        .toLowerCase()
        .replace(/[^\p{L}\p{N}]/gu, "");

/** The parts of a name with brackets or dots, each folded: `options[count]` as `options`, `count`. */
export const foldedParts = (name: string): readonly string[] =>
  /[[\].]/.test(name)
    ? name
        .split(/[[\].]/)
        .map(folded)
        .filter((part) => part !== "")
    : [folded(name)];

/** Names under which servers take another method than that of the request line (Rails, Laravel, Symfony, OData, Google). */
const METHOD_NAMES = new Set([
  "method",
  "httpmethod",
  "xhttpmethod",
  "xhttpmethodoverride",
  "xmethodoverride",
]);

/** Whether a parameter could ask for another method: `_method` and its like, not a plain `method`. */
export const asksForMethod = (name: string): boolean =>
  METHOD_NAMES.has(folded(name)) && name.toLowerCase() !== "method";
