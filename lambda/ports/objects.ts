import type { CountedEntry, CountedObject } from "../domain/counted-object.ts";

/** What a root key has counted for objects of a vendor. Written only with the record of a call (`Calls.save`). */
export interface Objects {
  read(name: ObjectName): Promise<CountedObject | null>;
}

export interface ObjectName {
  readonly rootId: string;
  /** As the vendor names it. */
  readonly objectId: string;
}

/** What a settled or declined call changes about a counted object, in the same transaction as the call's record. */
export type ObjectEffect =
  | (ObjectName & { readonly kind: "count"; readonly entry: CountedEntry; readonly nowMs: number })
  | (ObjectName & { readonly kind: "end" });
