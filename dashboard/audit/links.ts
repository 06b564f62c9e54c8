import type { VendorLink, VendorPage } from "../../lambda/domain/vendor-page.ts";

export interface Link {
  readonly name: string;
  readonly href: string;
}

/** Where the vendor's own dashboard shows an object: once for live mode and once for test mode, where there are two. */
export function linksOfObject(page: Pick<VendorPage, "objects"> | null, id: string): readonly Link[] {
  const fitting = (page?.objects ?? []).filter(({ begins }) => id.startsWith(begins));
  fitting.sort((one, other) => other.begins.length - one.begins.length);
  return linksOf(fitting[0] ?? null, id);
}

/** Where it shows a request. */
export const linksOfRequest = (page: Pick<VendorPage, "request"> | null, id: string): readonly Link[] =>
  page?.request != null && id.startsWith(page.request.begins) ? linksOf(page.request, id) : [];

function linksOf(link: VendorLink | null, id: string): readonly Link[] {
  if (link === null) return [];
  const at = (address: string) => address.replace("{id}", encodeURIComponent(id));
  if (link.test === null) return [{ name: "at the vendor", href: at(link.live) }];
  return [
    { name: "live", href: at(link.live) },
    { name: "test", href: at(link.test) },
  ];
}
