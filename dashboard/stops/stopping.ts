import { createContext } from "preact";
import { useContext } from "preact/hooks";
import type { StopTarget } from "./targets.ts";

/** What somebody wants to stop, as it stood on the page when the button was pressed. */
export interface StopWish {
  /** From the narrowest to the widest; the first is what was asked for. */
  readonly targets: readonly StopTarget[];
  /** The same stop for a shell, where the page cannot order it. */
  readonly command?: string;
}

/**
 * Asks for a stop. The question is above the whole page and keeps what it was opened with: a list that is refreshed behind it
 * changes neither what it is about nor what it says afterwards.
 */
export const Stopping = createContext<(wish: StopWish) => void>(() => {});

export const useStopping = () => useContext(Stopping);

/** Told to the window when a stop was ordered or lifted, for who shows them. */
export const STOPS_CHANGED = "keybrake-stops-changed";
