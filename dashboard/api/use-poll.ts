import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { Failure, noAnswer } from "./failure.ts";

/** The last answer, and what became of the last try to get a newer one. */
export interface Picture<T> {
  readonly data: T | null;
  /** When the data came, by the clock of this browser. Null: never. */
  readonly atMs: number | null;
  /** Why the last try failed; null where it did not. The data is older then. */
  readonly failure: Failure | null;
  /** Asks at once. */
  readonly refresh: () => void;
}

const NOTHING = { data: null, atMs: null, failure: null };

/**
 * Asks again and again, `everyMs` after each answer, and at once when the page is looked at again. What failed leaves the last
 * answer where it is. `name`: of what is asked for; another name begins without an answer. `everyMs` null: asks once.
 */
export function usePoll<T>(
  name: string,
  everyMs: number | null,
  load: (signal: AbortSignal) => Promise<T>,
): Picture<T> {
  const [picture, setPicture] = useState<Omit<Picture<T>, "refresh">>(NOTHING);
  const latest = useRef(load);
  latest.current = load;
  const again = useRef<() => void>(() => {});

  useEffect(() => setPicture(NOTHING), [name]);
  useEffect(
    () =>
      repeat(everyMs, again, async (signal) => {
        try {
          const data = await latest.current(signal);
          if (!signal.aborted) setPicture({ data, atMs: Date.now(), failure: null });
        } catch (error) {
          if (signal.aborted) return;
          const failure = error instanceof Failure ? error : noAnswer(String(error));
          if (failure.isLogin) dispatchEvent(new Event(LOGIN_ENDED));
          setPicture((was) => ({ ...was, failure }));
        }
      }),
    [name, everyMs],
  );

  return { ...picture, refresh: useCallback(() => again.current(), []) };
}

/** Told to the window when an answer says that nobody is signed in any more. */
export const LOGIN_ENDED = "keybrake-login-ended";

function repeat(
  everyMs: number | null,
  again: { current: () => void },
  once: (signal: AbortSignal) => Promise<void>,
): () => void {
  const stopping = new AbortController();
  let timer: ReturnType<typeof setTimeout> | undefined;
  let isUnderWay = false;
  const next = async () => {
    clearTimeout(timer);
    if (isUnderWay || stopping.signal.aborted) return;
    isUnderWay = true;
    await once(stopping.signal);
    isUnderWay = false;
    if (everyMs !== null && !document.hidden && !stopping.signal.aborted) timer = setTimeout(next, everyMs);
  };
  const seen = () => {
    if (!document.hidden && everyMs !== null) void next();
  };
  again.current = () => void next();
  document.addEventListener("visibilitychange", seen);
  void next();
  return () => {
    stopping.abort();
    clearTimeout(timer);
    document.removeEventListener("visibilitychange", seen);
  };
}
