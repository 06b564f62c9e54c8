import type { Filters } from "../page/address.ts";

export function SpendPage(_: { readonly filters: Filters }) {
  return null;
}
