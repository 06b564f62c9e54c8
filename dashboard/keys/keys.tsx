import type { Filters } from "../page/address.ts";

export function Keys(_: { readonly filters: Filters }) {
  return null;
}
