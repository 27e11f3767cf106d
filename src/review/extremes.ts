/** Keeps the few items of highest and of lowest quality from a stream, in flat memory. */

export interface Extremes<Item> {
  /**
   * @param make is called only where the item is kept.
   * @param options.isGood false: never among the best, however few there are.
   */
  add(quality: number, make: () => Item, options?: { isGood?: boolean }): void;
  /** Highest first. */
  readonly best: readonly Item[];
  /** Lowest first; without those that are among the best. */
  readonly worst: readonly Item[];
}

/** Of equal quality the earlier ones stay. */
export function extremes<Item>({ best: most, worst: least }: { best: number; worst: number }): Extremes<Item> {
  const best = topOf<Item>(most);
  const worst = topOf<Item>(least);
  return {
    add(quality, make, { isGood = true } = {}) {
      if (!(isGood && best.wants(quality)) && !worst.wants(-quality)) return;
      const item = make();
      if (isGood) best.add(quality, item);
      worst.add(-quality, item);
    },
    get best() {
      return best.items();
    },
    get worst() {
      const shown = new Set(best.items());
      return worst.items().filter((item) => !shown.has(item));
    },
  };
}

function topOf<Item>(limit: number) {
  const kept: { rank: number; item: Item }[] = [];
  const wants = (rank: number) => limit > 0 && (kept.length < limit || rank > kept[kept.length - 1].rank);
  return {
    wants,
    add(rank: number, item: Item) {
      if (!wants(rank)) return;
      const at = kept.findIndex((one) => one.rank < rank);
      kept.splice(at < 0 ? kept.length : at, 0, { rank, item });
      if (kept.length > limit) kept.pop();
    },
    items: () => kept.map(({ item }) => item),
  };
}
