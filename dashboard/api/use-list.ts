import { useEffect, useRef, useState } from "preact/hooks";
import type { Page } from "./answers.ts";
import type { Parameters } from "./base.ts";
import { read } from "./client.ts";
import { Failure, noAnswer } from "./failure.ts";
import { type Picture, usePoll } from "./use-poll.ts";

export interface List<T> extends Picture<Page<T>> {
  readonly rows: readonly T[];
  /** Whether there is more than the rows that are shown. */
  readonly hasMore: boolean;
  readonly isReading: boolean;
  readonly more: () => void;
}

/** A page may be short: so many are read before what was found is shown. */
const PAGES_AT_ONCE = 5;
const ENOUGH = 20;

/**
 * A list of the API, page by page. `everyMs`: how often the first page is asked for again, until more is wanted: then the list
 * stays as it is. Null: once.
 */
export function useList<T>(path: string, parameters: Parameters, everyMs: number | null): List<T> {
  const name = `${path}?${JSON.stringify(parameters)}`;
  // All that was read, once more than the first page was: it stays as it is, so that no row is missed or doubled.
  const [whole, setWhole] = useState<Page<T> | null>(null);
  const [isReading, setIsReading] = useState(false);
  const [failure, setFailure] = useState<Failure | null>(null);
  const first = usePoll(name, whole === null ? everyMs : null, (signal) =>
    enough<T>(path, parameters, signal),
  );
  useEffect(() => {
    setWhole(null);
    setFailure(null);
  }, [name, everyMs]);
  const wanted = useRef(name);
  wanted.current = name;

  const shown = whole ?? first.data;
  const cursor = shown?.next_cursor ?? null;
  const more = async () => {
    setIsReading(true);
    try {
      const next = await enough<T>(path, { ...parameters, cursor: cursor ?? undefined });
      // Somebody asked for other rows meanwhile.
      if (wanted.current !== name) return setIsReading(false);
      setWhole({ data: [...(shown?.data ?? []), ...next.data], next_cursor: next.next_cursor });
      setFailure(null);
    } catch (error) {
      setFailure(error instanceof Failure ? error : noAnswer(String(error)));
    }
    setIsReading(false);
  };
  return {
    ...first,
    failure: failure ?? first.failure,
    rows: shown?.data ?? [],
    hasMore: cursor !== null,
    isReading: isReading || (first.data === null && first.failure === null),
    more: () => void more(),
  };
}

/** Reads on where a page is short. */
async function enough<T>(path: string, parameters: Parameters, signal?: AbortSignal): Promise<Page<T>> {
  const found: T[] = [];
  let page = await read<Page<T>>(path, parameters, signal);
  for (let pages = 1; ; pages++) {
    found.push(...page.data);
    const { next_cursor } = page;
    if (next_cursor === null || found.length >= ENOUGH || pages === PAGES_AT_ONCE)
      return { data: found, next_cursor };
    page = await read<Page<T>>(path, { ...parameters, cursor: next_cursor }, signal);
  }
}
