import type { RateCard } from "../../domain/rate-card.ts";
import type { Address, Vendor } from "../../domain/vendor.ts";
import type { SpentBudget } from "../../ports/audit.ts";
import type { Clock } from "../../ports/clock.ts";
import type { Credentials } from "../../ports/credentials.ts";
import type { Ids } from "../../ports/ids.ts";
import type { CallVault } from "../../ports/vault.ts";
import type { VendorHttp } from "../../ports/vendor-http.ts";
import type { VendorRegistry } from "../../vendors/registry.ts";

/** What a call needs of the world. */
export interface ProxyPorts {
  readonly vendors: VendorRegistry;
  readonly vault: CallVault;
  /** Where this runs, as far as it explains that a key is not known. */
  readonly vaultKeyHint?: string | null;
  readonly credentials: Credentials;
  readonly http: VendorHttp;
  readonly spending: SpentBudget;
  readonly clock: Clock;
  readonly ids: Ids;
  /** Where a call goes: to the vendor's own host, or to the origin configured in the place of all of them. */
  readonly destinationOf: (vendor: Vendor, address: Address) => Destination;
  readonly rateCard: RateCard;
  /** For what the caller is not told of: an operator should know. */
  readonly warn: (message: string, cause: unknown) => void;
}

/** An origin without a path, and the path there. */
export interface Destination {
  readonly origin: string;
  readonly path: string;
}
