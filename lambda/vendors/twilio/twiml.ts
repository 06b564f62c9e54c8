/**
 * Instructions of a call that cost nothing beyond its minutes.
 *
 * Read so narrowly that no XML parser can find another verb in it: no comments, no CDATA, no entities but the five and
 * those of characters, no elements inside of elements. Voices are the two that are free. twilio.com/docs/voice/twiml,
 * read 2026-11-22.
 */

const VERBS: Readonly<
  Record<string, { readonly attributes: Readonly<Record<string, RegExp>>; readonly text: boolean }>
> = {
  Say: {
    attributes: { voice: /^(man|woman)$/, language: /^[A-Za-z]{2,3}(-[A-Za-z]{2,4})?$/, loop: /^[1-9]$/ },
    text: true,
  },
  Play: { attributes: { loop: /^[0-9]{1,3}$/, digits: /^[0-9wW*#A-D]{1,100}$/ }, text: true },
  Pause: { attributes: { length: /^[0-9]{1,5}$/ }, text: false },
  Hangup: { attributes: {}, text: false },
  Reject: { attributes: { reason: /^(rejected|busy)$/ }, text: false },
};

const LENGTH_MAX = 4_000;
const DECLARATION = /^<\?xml version=(["'])1\.0\1( encoding=(["'])utf-8\3)?\s*\?>/i;
const TEXT = /^([^<>&]|&(amp|lt|gt|quot|apos|#[0-9]{1,7}|#x[0-9A-Fa-f]{1,6});)*$/;
const ELEMENT =
  /^<([A-Za-z]+)((?:\s+[A-Za-z]+\s*=\s*(?:"[^"<>&]*"|'[^'<>&]*'))*)\s*(\/>|>([^<>]*)<\/([A-Za-z]+)\s*>)\s*/;
const ATTRIBUTE = /([A-Za-z]+)\s*=\s*(?:"([^"]*)"|'([^']*)')/g;

/** Why instructions may cost more than the minutes of their call; null where they cannot. */
export function twimlProblem(twiml: string): string | null {
  if (twiml.length > LENGTH_MAX) return `it has more than ${LENGTH_MAX} characters`;
  const inside = /^<Response\s*>\s*([\s\S]*?)<\/Response\s*>$/.exec(
    twiml.trim().replace(DECLARATION, "").trim(),
  );
  let rest = inside?.[1] ?? null;
  if (rest === null) return "it is not one <Response>";
  while (rest !== "") {
    const element = ELEMENT.exec(rest);
    if (element === null)
      return `the part that starts with ${JSON.stringify(rest.slice(0, 30))} is not one plain verb`;
    const problem = elementProblem(element);
    if (problem !== null) return problem;
    rest = rest.slice(element[0].length);
  }
  return null;
}

function elementProblem([, name = "", attributes = "", , text = "", closed = name]: readonly string[]):
  | string
  | null {
  const verb = Object.hasOwn(VERBS, name) ? VERBS[name] : undefined;
  if (verb === undefined) return `<${name}> is not one of ${Object.keys(VERBS).join(", ")}`;
  if (closed !== name) return `<${name}> is closed by </${closed}>`;
  if (!TEXT.test(text) || (!verb.text && text.trim() !== ""))
    return `<${name}> has content that is not accepted`;
  const seen = new Set<string>();
  for (const [, attribute = "", double, single] of attributes.matchAll(ATTRIBUTE)) {
    const accepted = Object.hasOwn(verb.attributes, attribute) ? verb.attributes[attribute] : undefined;
    if (accepted === undefined || seen.has(attribute) || !accepted.test(double ?? single ?? ""))
      return `<${name}> has the attribute ${attribute} twice, or with a value that could incur charges`;
    seen.add(attribute);
  }
  return null;
}
