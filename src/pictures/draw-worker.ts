/** Draws the files of images in a thread of its own: an order comes in, the files go out. */

import { parentPort } from "node:worker_threads";
import type { DrawingAnswer, DrawingOrder } from "./drawing-threads.js";
import { drawFiles } from "./explanation-files.js";

parentPort?.on("message", (order: DrawingOrder | null) => {
  // The thread ends when what it draws is drawn.
  if (order === null) parentPort?.close();
  else void answer(order);
});

async function answer({ id, explained, options }: DrawingOrder): Promise<void> {
  // Who ordered draws it again where that fails, and gets the error itself.
  const files = await drawFiles(explained, options).catch(() => null);
  parentPort?.postMessage({ id, files } satisfies DrawingAnswer);
}
