/** Rows of equal length in one array that grows: an array for each row costs some hundred bytes more. */

type Numbers = Uint8Array<ArrayBuffer> | Uint32Array<ArrayBuffer>;

/** Rows in the order in which they were added. */
export interface GrowingRows<Row extends Numbers> {
  /** @param row is copied. */
  readonly add: (row: Row) => void;
  /** @returns a view, good until the next `add`. */
  readonly row: (index: number) => Row;
  readonly value: (index: number, column: number) => number;
}

const FIRST = 256;

/** @param create makes an array of that length, zero everywhere. */
export function growingRows<Row extends Numbers>(create: (length: number) => Row, width: number): GrowingRows<Row> {
  let data = create(FIRST * width);
  let count = 0;
  return {
    add(row) {
      if ((count + 1) * width > data.length) {
        const larger = create(2 * data.length);
        larger.set(data);
        data = larger;
      }
      data.set(row, width * count++);
    },
    row: (index) => data.subarray(width * index, width * (index + 1)) as Row,
    value: (index, column) => data[width * index + column],
  };
}
