/** Connected components of a binary mask. */

/**
 * 8-connected components, in the order in which a scan by rows meets them.
 *
 * @param mask `[height * width]`, rows of `width` pixels, non-zero inside.
 * @returns of each component its pixel indices, ascending.
 */
export function connectedComponents(mask: Uint8Array, { width }: { width: number }): Uint32Array[] {
  const isSeen = new Uint8Array(mask.length);
  const queue = new Uint32Array(mask.length);
  const components: Uint32Array[] = [];
  const height = mask.length / width;
  for (let start = 0; start < mask.length; start++) {
    if (mask[start] === 0 || isSeen[start] === 1) continue;
    let end = 0;
    queue[end++] = start;
    isSeen[start] = 1;
    for (let next = 0; next < end; next++) {
      const y = Math.floor(queue[next] / width);
      const x = queue[next] % width;
      for (let yy = Math.max(0, y - 1); yy <= Math.min(height - 1, y + 1); yy++) {
        for (let xx = Math.max(0, x - 1); xx <= Math.min(width - 1, x + 1); xx++) {
          const neighbour = yy * width + xx;
          if (mask[neighbour] === 0 || isSeen[neighbour] === 1) continue;
          isSeen[neighbour] = 1;
          queue[end++] = neighbour;
        }
      }
    }
    components.push(queue.slice(0, end).sort());
  }
  return components;
}
