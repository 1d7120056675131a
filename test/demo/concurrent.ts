// Many small programs at once, but not all.

/** Applies `act` to every item, at most `limit` at a time; results in the order of the items. The first error ends it. */
export async function mapConcurrently<T, R>(items: readonly T[], limit: number, act: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = []
  const queue = items.entries()
  const work = async (): Promise<void> => {
    for (const [i, item] of queue) results[i] = await act(item)
  }
  await Promise.all(Array.from({ length: limit }, work))
  return results
}
