import type { Vendor } from "../../domain/vendor.ts";

/** By these a call acts on an account of its own. */
const ACCOUNTS = ["stripe-account", "stripe-context"];

/** The account that is asked. The rest of what finds a call stands on its row. */
export const soughtOf: Vendor["soughtOf"] = ({ headers }) =>
  Object.fromEntries(
    ACCOUNTS.flatMap((name) => {
      const value = headers[name]?.[0];
      return value === undefined ? [] : [[name, value]];
    }),
  );
