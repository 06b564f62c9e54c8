/**
 * How a value is written in JSON, character by character: a number that was parsed is a float, so `10`, `1e1` and
 * `10.00000000000000000001` could not be told apart, and some parsers read the last one as more than ten.
 */

/** The text of the value at `path`, or null where there is none. `text`: valid JSON without a repeated name. */
export function sourceAt(text: string, path: readonly string[]): string | null {
  let at = valueAt(text, 0);
  for (const name of path) {
    const inner =
      text[at] === "{" ? memberAt(text, at, name) : text[at] === "[" ? entryAt(text, at, name) : null;
    if (inner === null) return null;
    at = inner;
  }
  return text.slice(at, endOf(text, at));
}

const valueAt = (text: string, from: number): number => {
  let at = from;
  while (" \t\r\n".includes(text[at] ?? "x")) at++;
  return at;
};

/** Where the value of a member begins; `at`: of the object's brace. */
function memberAt(text: string, at: number, wanted: string): number | null {
  let next = valueAt(text, at + 1);
  while (text[next] === '"') {
    const end = endOf(text, next);
    const value = valueAt(text, valueAt(text, end) + 1);
    if (JSON.parse(text.slice(next, end)) === wanted) return value;
    next = valueAt(text, valueAt(text, endOf(text, value)) + 1);
  }
  return null;
}

/** Where an entry begins; `at`: of the list's bracket, `wanted`: its place, counted from 0. */
function entryAt(text: string, at: number, wanted: string): number | null {
  if (!/^(0|[1-9]\d{0,6})$/.test(wanted)) return null;
  let next = valueAt(text, at + 1);
  for (let place = Number(wanted); text[next] !== "]"; place--) {
    if (place === 0) return next;
    const separator = valueAt(text, endOf(text, next));
    if (text[separator] !== ",") return null;
    next = valueAt(text, separator + 1);
  }
  return null;
}

/** Where a value ends that begins at `at`. */
function endOf(text: string, at: number): number {
  const first = text[at];
  if (first === '"') {
    let end = at + 1;
    while (text[end] !== '"') end += text[end] === "\\" ? 2 : 1;
    return end + 1;
  }
  if (first !== "{" && first !== "[") {
    let end = at;
    while (end < text.length && !",]} \t\r\n".includes(text[end] ?? "")) end++;
    return end;
  }
  let depth = 0;
  let end = at;
  do {
    const sign = text[end];
    if (sign === '"') end = endOf(text, end);
    else {
      if (sign === "{" || sign === "[") depth++;
      else if (sign === "}" || sign === "]") depth--;
      end++;
    }
  } while (depth > 0);
  return end;
}
