import { type Secrets, secretsLike } from "../domain/secrets.ts";
import type { Vendor } from "../domain/vendor.ts";
import { anyVendorDenial } from "./any-vendor.ts";

/** The vendors that there are: those of the list in index.ts, and those that the configuration defines. */
export interface VendorRegistry {
  /** In the order of the list, the configured ones behind it. */
  readonly all: readonly Vendor[];
  readonly names: readonly string[];
  /** The vendor of this name, or null: also for a path that names none. */
  find(name: string | null): Vendor | null;
  /**
   * The names of the other vendors whose paths begin like this one, where no path of `vendor` does: their SDK wrote it.
   * None for a configured vendor: its definition lists what may be called, not all that its API has.
   * `path`: with a slash before it, without the prefix that names a vendor.
   */
  othersWithPath(vendor: Vendor, path: string): readonly string[];
  /** A denial for a caller whose SDK is not known (any-vendor.ts). */
  readonly denial: Vendor["denial"];
  /** What secrets look like: our own and those of every vendor. */
  readonly secrets: Secrets;
}

/** First segments of paths that are our own, so that no vendor may have them for a name. */
export const OUR_SEGMENTS: readonly string[] = ["vault", "healthz", "dashboard"];

/** Throws a RangeError where two vendors have one name, or one has a name of ours: the path could not tell them apart. */
export function registryOf(builtIn: readonly Vendor[], configured: readonly Vendor[] = []): VendorRegistry {
  const all = [...builtIn, ...configured];
  const names = all.map(({ name }) => name);
  const twice = [...OUR_SEGMENTS, ...names].find((name, at, list) => list.indexOf(name) !== at);
  if (twice !== undefined) throw new RangeError(`the name ${twice} is taken; a vendor needs another one`);

  const byName = new Map(all.map((vendor) => [vendor.name, vendor]));
  const firstSegments = new Map(all.map((vendor) => [vendor, firstSegmentsOf(vendor)]));
  const begins = (vendor: Vendor, path: string) =>
    firstSegments.get(vendor)?.has(vendor.catalogPath(path).split("/")[1] ?? "") ?? false;
  return {
    all,
    names,
    find: (name) => byName.get(name ?? "") ?? null,
    othersWithPath: (vendor, path) =>
      begins(vendor, path) || configured.includes(vendor)
        ? []
        : all.filter((other) => begins(other, path)).map(({ name }) => name),
    denial: (facts) => anyVendorDenial(all, facts),
    secrets: secretsLike(all.flatMap(({ secretShapes }) => secretShapes)),
  };
}

const firstSegmentsOf = ({ catalog }: Vendor): ReadonlySet<string> =>
  new Set(catalog.map(({ path }) => path.split("/")[1] ?? ""));
