import { listAt, textAt } from "./json.ts";

/**
 * What reached simulated vendors with their own credentials though they serve nothing there, by their books. A product that
 * lets nothing through but what its catalog allows has none; whoever ends a run asks for it.
 */
export async function breachesIn(booksUrls: readonly string[]): Promise<readonly string[]> {
  const found = await Promise.all(
    booksUrls.map(async (url) => {
      const books: unknown = await (await fetch(url)).json();
      return listAt(books, "breaches").map(
        (breach) => `${textAt(breach, "method")} ${textAt(breach, "path")}`,
      );
    }),
  );
  return found.flat();
}

/** Throws where there is one. */
export async function refuseBreaches(booksUrls: readonly string[]): Promise<void> {
  const breaches = await breachesIn(booksUrls);
  if (breaches.length > 0)
    throw new Error(`a simulated vendor was asked for what it does not serve: ${breaches.join(", ")}`);
}
