import type { Filters } from "../page/address.ts";

export function Audit(_: { readonly filters: Filters }) {
  return null;
}
