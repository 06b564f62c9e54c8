import type { Vendor } from "../lambda/domain/vendor.ts";
import { simulatorOf } from "./simulators/simulator-of.ts";

/** Where calls to a vendor go; by default to its simulator. */
export type VendorTarget =
  | { readonly kind: "simulated"; readonly latencyMs?: number }
  | { readonly kind: "upstream"; readonly origin: string; readonly credential: string }
  | { readonly kind: "real"; readonly credential: string };

/** A vendor of a run: where calls to it go, and with what. */
export interface RunningVendor {
  readonly vendor: Vendor;
  /** `unset`: it has no simulator, and nothing says what to call in its place, so that its calls are refused. */
  readonly target: VendorTarget["kind"] | "unset";
  readonly origin: string;
  /** What the simulated vendor charged. */
  readonly booksUrl?: string;
  /** Null where there is none. */
  readonly credential: string | null;
  close(): Promise<void>;
}

/** The one of this name; throws where there is none. */
export function vendorNamed<T extends Pick<RunningVendor, "vendor">>(vendors: readonly T[], name: string): T {
  const found = vendors.find(({ vendor }) => vendor.name === name);
  if (found === undefined) throw new Error(`there is no vendor ${name}`);
  return found;
}

export async function startVendor(vendor: Vendor, target: VendorTarget): Promise<RunningVendor> {
  const { placeholder } = vendor.local;
  const close = async () => {};
  switch (target.kind) {
    case "real":
      return {
        vendor,
        target: target.kind,
        origin: vendor.origins.main,
        credential: target.credential,
        close,
      };
    case "upstream":
      return { vendor, target: target.kind, origin: target.origin, credential: target.credential, close };
    case "simulated": {
      const startSimulator = await simulatorOf(vendor.name);
      if (startSimulator === null)
        return { vendor, target: "unset", origin: vendor.origins.main, credential: null, close };
      const simulator = await startSimulator({
        credential: placeholder,
        latencyMs: target.latencyMs ?? 0,
      });
      return {
        vendor,
        target: target.kind,
        origin: simulator.origin,
        booksUrl: `${simulator.origin}/books`,
        credential: placeholder,
        close: () => simulator.close(),
      };
    }
  }
}
