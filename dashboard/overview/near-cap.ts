/** So much of a cap is used when somebody should know. */
const NEAR = 0.8;

interface CappedKey {
  readonly caps: {
    readonly daily?: CapLeft | undefined;
    readonly total?: CapLeft | undefined;
  };
}

interface CapLeft {
  readonly usd_cap: number;
  readonly remaining_usd: number;
}

/** Whether a key used four fifths of one of its caps, what is reserved among it. */
export const isNearItsCap = ({ caps }: CappedKey): boolean =>
  [caps.daily, caps.total].some(
    (cap) => cap !== undefined && cap.remaining_usd <= cap.usd_cap * (1 - NEAR) + 1e-9,
  );
