import type { VendorPage } from "../../lambda/domain/vendor-page.ts";

interface NewKey {
  readonly vault_key: string;
  readonly base_url: string;
}

const NAMES = { python: "Python", node: "Node", curl: "curl" } as const;

/** Programs that make one call with a new key; for a vendor of which nothing is known, a call by curl. */
export function snippetsFor(page: Pick<VendorPage, "snippets"> | null, { vault_key, base_url }: NewKey) {
  const texts = page?.snippets ?? { curl: `curl -s {url}/… -H "Authorization: Bearer {key}"` };
  return (Object.keys(NAMES) as (keyof typeof NAMES)[]).flatMap((language) => {
    const text = (texts as Partial<Record<keyof typeof NAMES, string>>)[language];
    return text === undefined
      ? []
      : [{ name: NAMES[language], text: text.replaceAll("{key}", vault_key).replaceAll("{url}", base_url) }];
  });
}
