import type { CallLimits } from "../../lambda/domain/call-limits.ts";

/** A key that has caps alone. */
export const UNLIMITED: CallLimits = {
  accounts: null,
  currencies: null,
  recipients: null,
  maxRecipients: null,
};
