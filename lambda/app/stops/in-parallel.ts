/** Does something for each value, `atOnce` of them at a time; the results are in the order of the values. */
export async function inParallel<T, R>(
  values: readonly T[],
  atOnce: number,
  act: (value: T) => Promise<R>,
): Promise<readonly R[]> {
  const results: R[] = [];
  const waiting = values.entries();
  const worker = async () => {
    for (const [at, value] of waiting) results[at] = await act(value);
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, values.length) }, worker));
  return results;
}
