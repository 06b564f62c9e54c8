import { vendorRegistry } from "../../lambda/vendors/index.ts";
import { routesOf } from "../../lib/routes.ts";

/** The routes of a deployment with the vendors of the list. */
export const ROUTES = routesOf(vendorRegistry().names);
