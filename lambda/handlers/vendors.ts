import { vendorRegistry } from "../vendors/index.ts";

/** The vendors that there are, made once for each process. What answers a request is handed them. */
export const vendors = vendorRegistry();
