import type { List } from "../api/use-list.ts";

/** What stands below a list: what is missing, what failed, and what there is to do about it. */
export function ListEnd({ list, empty }: { readonly list: List<unknown>; readonly empty: string }) {
  const { rows, failure, hasMore, isReading, more, refresh } = list;
  return (
    <div class="list-end">
      {failure !== null && (
        <p class="note bad" role="alert">
          {rows.length === 0 ? "Nothing can be shown" : "What is shown may be old"}: {failure.message}.{" "}
          <button type="button" class="plain" onClick={refresh}>
            Try again
          </button>
        </p>
      )}
      {isReading && <p class="quiet">Reading…</p>}
      {!isReading && failure === null && rows.length === 0 && (
        <p class="note">{hasMore ? "Nothing so far. What is older was not read yet." : empty}</p>
      )}
      {hasMore && !isReading && (
        <button type="button" onClick={more}>
          {rows.length === 0 ? "Read on" : "Show more"}
        </button>
      )}
    </div>
  );
}
