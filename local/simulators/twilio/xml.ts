/** `<TwilioResponse>` with an object in it, as Twilio answers a path that does not end in `.json`. */
export function toXml(element: string, body: object): string {
  return `<?xml version='1.0' encoding='UTF-8'?>\n<TwilioResponse>${listXml(body) ?? elementXml(element, body)}</TwilioResponse>`;
}

/** A list is an element named after its items, with what is said of the page as attributes; undefined for no list. */
function listXml(body: object): string | undefined {
  const entries: readonly (readonly [string, unknown])[] = Object.entries(body);
  const [key, items] = entries.find(([, value]) => Array.isArray(value)) ?? [];
  if (key === undefined || !Array.isArray(items)) return undefined;
  const attributes = entries
    .filter(([name]) => name !== key)
    .map(([name, value]) => ` ${name.replaceAll("_", "")}="${escaped(String(value ?? ""))}"`);
  const item = pascal(key).replace(/s$/, "");
  return `<${pascal(key)}${attributes.join("")}>${items.map((each) => elementXml(item, each)).join("")}</${pascal(key)}>`;
}

function elementXml(name: string, value: unknown): string {
  if (value === null || value === undefined || value === "") return `<${name}/>`;
  const content =
    typeof value === "object"
      ? Object.entries(value)
          .map(([field, inner]) => elementXml(pascal(field), inner))
          .join("")
      : escaped(String(value));
  return `<${name}>${content}</${name}>`;
}

/** `num_segments` is `NumSegments`. */
const pascal = (name: string): string =>
  name.replace(/(?:^|_)([a-z])/g, (_, letter: string) => letter.toUpperCase());

const escaped = (text: string): string =>
  text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
