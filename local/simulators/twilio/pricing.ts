import type { Endpoint } from "./endpoint.ts";
import { notFound } from "./errors.ts";
import { priceText, SMS_SEGMENT_ELSEWHERE, SMS_SEGMENT_US } from "./prices.ts";

const NAMES = new Intl.DisplayNames("en", { type: "region", fallback: "none" });

/** `GET /v1/Messaging/Countries/{ISO}`: the list price of a segment, without what the carriers add. */
export const messagingPrices: Endpoint = (_account, { ids: [country = ""], path }) => {
  const name = /^[A-Z]{2}$/.test(country) ? NAMES.of(country) : undefined;
  if (name === undefined) throw notFound(path.replace("/v1", ""));
  const price = priceText(country === "US" || country === "CA" ? SMS_SEGMENT_US : SMS_SEGMENT_ELSEWHERE);
  const base = { base_price: price.replace("-", ""), current_price: price.replace("-", "") };
  return () => ({
    status: 200,
    element: "Country",
    body: {
      country: name,
      iso_country: country,
      inbound_sms_prices: [{ number_type: "local", ...base }],
      outbound_sms_prices: ["One", "Two"].map((carrier, index) => ({
        carrier: `Simulated Carrier ${carrier}`,
        mcc: "310",
        mnc: `00${index}`,
        prices: [{ number_type: "local", ...base }],
      })),
      price_unit: "USD",
      url: `https://pricing.twilio.com/v1/Messaging/Countries/${country}`,
    },
  });
};
