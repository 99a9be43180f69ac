"""What the peers' scripts do alike: options, times, memory, and one line of JSON with the keys of reel-bench."""

import argparse
import json
import os
import statistics
import time


def step_options(cells, iterations=60):
    """The options of one training step of the row classifier."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--cell", default="lstm", choices=cells)
    for name, value in dict(batch=128, time=28, input=28, units=64, iterations=iterations).items():
        parser.add_argument(f"--{name}", type=int, default=value)
    return with_threads(parser)


def with_threads(parser):
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    return parser


def pin(threads):
    """Leaves the process that many cores, for libraries that take what there is. Before they are imported."""
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:threads])


def peak_rss_mib():
    """The largest resident size so far, without that of the process this one was forked from."""
    with open("/proc/self/status") as status:
        line = next(line for line in status if line.startswith("VmHWM:"))
    return int(line.split()[1]) / 1024


def milliseconds(call):
    start = time.perf_counter()
    call()
    return (time.perf_counter() - start) * 1e3


def measure(call, iterations):
    """Times the first call, then some calls after five more to warm up. `call` waits for its result."""
    first = milliseconds(call)
    for _ in range(5):
        call()
    times = [milliseconds(call) for _ in range(iterations)]
    median = statistics.median(times)
    return dict(median_ms=median, min_ms=min(times), compile_ms=max(first - median, 0.0))


def report(who, figures, **facts):
    fields = dict(peer=who, **figures, **facts, peak_rss_mib=peak_rss_mib())
    print(json.dumps({k: round(v, 4) if isinstance(v, float) else v for k, v in fields.items()}))


def sizes(options):
    names = ("cell", "batch", "time", "input", "units", "iterations", "threads")
    return {name: getattr(options, name) for name in names}
