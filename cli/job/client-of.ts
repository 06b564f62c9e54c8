import type { VendorManifest } from "../../lambda/domain/vendor-manifest.ts";
import type { Client } from "./environment.ts";

/** What is known of the programs of a vendor, by its name. */
export async function clientOf(name: string): Promise<Client> {
  const { vendorRegistry } = await import("../../lambda/vendors/index.ts");
  const vendor = vendorRegistry().find(name);
  return vendor === null
    ? { variables: { ...NONE, key: [`${name.toUpperCase()}_API_KEY`] }, credentials: [] }
    : { variables: vendor.client, credentials: credentialsOf(vendor) };
}

/** Only what begins in a way of its own: any text may be a token of the others. */
const credentialsOf = ({ local }: VendorManifest): readonly RegExp[] =>
  local.credential.flatMap(({ begins, pattern }) => (begins === null ? [] : [pattern]));

/** A vendor that a deployment configures: this program does not know its definition. */
const NONE = { key: [], baseUrl: [], fixed: {}, removed: [], freeRead: null } as const;
