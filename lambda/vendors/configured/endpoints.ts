import { folded } from "./names.ts";

/** `METHOD /path/{id}` as a definition writes it, read so strictly that one path is one endpoint. */

const METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"];
const KEY_ACCEPTED = `expected "METHOD /path", with ${METHODS.join(", ")} as methods and a placeholder such as {id} for a segment that differs`;
const FIXED = /^[A-Za-z0-9_~][A-Za-z0-9_.~:@!$&'()*+,=-]*$/;
const PLACEHOLDER = /^\{((?!constructor\})[a-z][a-z0-9_]{0,29})\}$/;
const PATH_LENGTH_MAX = 200;

interface Parsed {
  readonly method: string;
  /** A fixed segment, or null for a placeholder. */
  readonly segments: readonly (string | null)[];
}

const parse = (key: string): Parsed | null => {
  const [method = "", path = "", ...rest] = key.split(" ");
  const written = path.slice(1).split("/");
  const isPlain = written.every((segment) => FIXED.test(segment) || PLACEHOLDER.test(segment));
  if (rest.length > 0 || !METHODS.includes(method) || !path.startsWith("/") || !isPlain) return null;
  return {
    method,
    segments: written.map((segment) => (PLACEHOLDER.test(segment) ? null : segment)),
  };
};

/** What is wrong with an endpoint among all of a definition, or null. */
export function endpointProblem(key: string, all: readonly string[]): string | null {
  const parsed = key.length > PATH_LENGTH_MAX ? null : parse(key);
  if (parsed === null) return KEY_ACCEPTED;
  for (const other of all) {
    const another = other === key ? null : parse(other);
    if (another === null || another.method !== parsed.method) continue;
    const clash = clashOf(parsed.segments, another.segments);
    if (clash === "same") return `it is the same endpoint as ${JSON.stringify(other)}; expected one of them`;
    if (clash === "ambiguous")
      return `a path can be this endpoint and ${JSON.stringify(other)}; expected paths of which one is the narrower`;
  }
  return null;
}

/** Whether some path fits both, and neither is narrower than the other in every segment. */
function clashOf(one: Parsed["segments"], other: Parsed["segments"]): "same" | "ambiguous" | null {
  if (one.length !== other.length) return null;
  let oneIsNarrower = false;
  let otherIsNarrower = false;
  for (const [at, segment] of one.entries()) {
    const its = other[at] ?? null;
    // Servers that ignore case take two fixed segments for one another.
    if (segment !== null && its !== null && segment !== its) {
      if (segment.toLowerCase() !== its.toLowerCase()) return null;
      return "ambiguous";
    }
    oneIsNarrower ||= segment !== null && its === null;
    otherIsNarrower ||= segment === null && its !== null;
  }
  if (oneIsNarrower && otherIsNarrower) return "ambiguous";
  return oneIsNarrower || otherIsNarrower ? null : "same";
}

/** Every placeholder of a key. */
export const placeholdersOf = (key: string): readonly string[] =>
  key.split("/").flatMap((segment) => PLACEHOLDER.exec(segment)?.[1] ?? []);

/** Narrower endpoints first: the first one that fits counts. */
export const narrowestFirst = (keys: readonly string[]): readonly string[] =>
  keys.toSorted((a, b) => placeholdersOf(a).length - placeholdersOf(b).length);

/**
 * What may stand for a placeholder: one plain segment, with a digit unless it may be a word. None that a server could take
 * for a fixed segment of another endpoint: the same in other letters, with dots behind it, or with a format as the last one
 * of a path (`search.json` in Rails and Spring). Nor one with a comma, which is a list of ids for some servers, or with a
 * colon, behind which Google's APIs name another method (`{id}:run`).
 */
export function segmentPattern(kind: "id" | "any", { all, last }: FixedSegments): RegExp {
  const notFixed = notOneOf(all, "[^A-Za-z0-9]*$") + notOneOf(last, "\\.");
  const hasDigit = kind === "id" ? "(?=[^0-9]*[0-9])" : "";
  return new RegExp(`^${notFixed}${hasDigit}[A-Za-z0-9_+][A-Za-z0-9_.~@+=-]{0,199}$`, "i");
}

const notOneOf = (segments: readonly string[], behind: string): string =>
  segments.length === 0
    ? ""
    : `(?!(?:${segments.map((segment) => [...segment].map(literally).join("")).join("|")})${behind})`;

/** A letter in either case, and any other sign as itself. */
const literally = (sign: string): string => (/[A-Za-z0-9]/.test(sign) ? sign : `\\${sign}`);

/** The fixed segments of a definition, each once, and those of them that end a path. */
export interface FixedSegments {
  readonly all: readonly string[];
  readonly last: readonly string[];
}

export function fixedSegments(keys: readonly string[]): FixedSegments {
  const paths = keys.map((key) => parse(key)?.segments ?? []);
  return { all: named(paths.flat()), last: named(paths.map((segments) => segments.at(-1) ?? null)) };
}

const named = (segments: Parsed["segments"]): readonly string[] => [
  ...new Set(segments.flatMap((segment) => (segment === null || folded(segment) === "" ? [] : [segment]))),
];
