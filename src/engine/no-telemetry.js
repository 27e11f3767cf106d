/**
 * Switches ONNX Runtime's telemetry off, before the library is loaded: onnxruntime-node 1.30 keeps a device id and
 * events in the user's cache folder, sends them to its maker, and crashes where the command line is longer than about
 * 16,000 characters. The variable is left alone where the user has set it. Plain JavaScript, as the worker that imports
 * it.
 */

import { isMainThread } from "node:worker_threads";

if (process.env.ORT_DISABLE_TELEMETRY === undefined) {
  process.env.ORT_DISABLE_TELEMETRY = "1";
  // In a worker thread `process.env` is a copy, which the native library does not see.
  if (!isMainThread) {
    process.stderr.write(
      "note: aspectlens was loaded in a worker thread, where the telemetry of ONNX Runtime cannot be switched off. " +
        "Import it in the main thread first, or start the process with ORT_DISABLE_TELEMETRY=1.\n",
    );
  }
}
