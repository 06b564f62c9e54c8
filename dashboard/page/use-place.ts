import { useEffect, useState } from "preact/hooks";
import { type Filters, hashOf, type Place, placeOf, type View } from "./address.ts";

/** Where the reader is, and again when the address changes. */
export function usePlace(): Place {
  const [place, setPlace] = useState(() => placeOf(location.hash));
  useEffect(() => {
    const changed = () => setPlace(placeOf(location.hash));
    addEventListener("hashchange", changed);
    return () => removeEventListener("hashchange", changed);
  }, []);
  return place;
}

/** Changes the filters of a view in the address, without a step of the back button for each. */
export function showFilters(view: View, filters: Filters): void {
  history.replaceState(null, "", hashOf(view, filters));
  dispatchEvent(new HashChangeEvent("hashchange"));
}
