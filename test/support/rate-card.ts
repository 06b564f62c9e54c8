import type { RateCard } from "../../lambda/domain/rate-card.ts";
import { type RateCardInput, rateCardOf } from "../../lambda/rate-card-input.ts";
import { vendorRegistry } from "../../lambda/vendors/index.ts";

const { all } = vendorRegistry();

/** The rate card of this configuration, over the defaults of every vendor. */
export const rateCardWith = (input: RateCardInput): RateCard => rateCardOf(input, all);

/** The rate card where nothing is configured. */
export const DEFAULT_RATE_CARD: RateCard = rateCardWith({});
