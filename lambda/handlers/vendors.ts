import { ENV } from "../environment.ts";
import { parseDefinitions } from "../vendors/configured/definition.ts";
import { BUILT_IN_NAMES, vendorRegistry } from "../vendors/index.ts";

/**
 * A server on this machine may stand for a vendor of the local run. What a deployment may call was checked when its
 * configuration was read.
 */
const RULES = { builtIn: BUILT_IN_NAMES, loopback: true };

/** The vendors that there are, made once for each process. What answers a request is handed them. */
export const vendors = vendorRegistry(parseDefinitions(JSON.parse(process.env[ENV.vendors] || "[]"), RULES));
