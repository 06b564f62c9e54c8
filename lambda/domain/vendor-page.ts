/** What the dashboard shows of a vendor. Data alone: it is sent to the browser as it is. */
export interface VendorPage {
  /** Where the vendor's own dashboard shows an object, by how the object's id begins. The longest beginning decides. */
  readonly objects: readonly VendorLink[];
  /** Where it shows a request by the vendor's id of it; null where it does not. */
  readonly request: VendorLink | null;
  /** An entry for `allowed_endpoints` to begin with. */
  readonly endpoint: string;
  /** Programs that make one call. `{key}` is the vault key, `{url}` the base address of the vendor at Keybrake. */
  readonly snippets: { readonly python: string; readonly node: string; readonly curl: string };
}

/** An address at the vendor; `{id}` is the id. */
export interface VendorLink {
  readonly begins: string;
  readonly live: string;
  /** For what a test credential made; null where the vendor has one address for both. */
  readonly test: string | null;
}
