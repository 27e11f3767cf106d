"""Measures on request: the faster memory layout is found first, then each line of stdin asks for some iterations."""

import json
import os
import platform
import resource
import statistics
import sys
import time

import torch


def times(run, iterations):
    result = []
    for _ in range(iterations):
        start = time.perf_counter()
        run()
        result.append((time.perf_counter() - start) * 1e3)
    return result


def serve(prepare, options):
    """`prepare(options, is_channels_last)` gives a function that does the work once."""
    # Debian's PyTorch starts with one thread.
    torch.set_num_threads(len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count())
    torch.manual_seed(0)
    candidates = {}
    for layout, is_channels_last in (("contiguous", False), ("channels_last", True)):
        run = prepare(options, is_channels_last)
        times(run, 2)
        candidates[layout] = (statistics.median(times(run, 5)), run)
    layout = min(candidates, key=lambda name: candidates[name][0])
    run = candidates[layout][1]
    del candidates
    version = ".".join(torch.__version__.split(".")[:2])
    software = {"python": platform.python_version(), "torch": torch.__version__, "threads": torch.get_num_threads()}
    print(json.dumps({"name": f"pytorch {version} {layout}", "software": software}), flush=True)
    for line in sys.stdin:
        run()
        iterations, before = int(line), time.process_time()
        ms = statistics.median(times(run, iterations))
        cpu_ms = (time.process_time() - before) * 1e3 / iterations
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024  # kilobytes on Linux
        print(json.dumps({"ms": ms, "cpuMs": cpu_ms, "peakMegabytes": peak}), flush=True)
