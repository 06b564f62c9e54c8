import { missingPlaces, usd } from "../format/usd.ts";

/** Dollars in a column: the points of all rows stand below each other. `places`: the most that the column has. */
export function Usd({
  amount,
  places = 2,
}: {
  readonly amount: number | null | undefined;
  readonly places?: number;
}) {
  if (amount === null || amount === undefined) return <span class="quiet">–</span>;
  const text = usd(amount);
  const missing = missingPlaces(text, places);
  return (
    <span class="usd">
      {text}
      {missing > 0 && (
        <span class="unseen" aria-hidden="true">
          {"0".repeat(missing)}
        </span>
      )}
    </span>
  );
}
