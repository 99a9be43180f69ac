#!/usr/bin/env python3
"""Measures Reel and its peers in turn, several rounds, and writes Docs/Benchmarks.md.

Every program prints one line of JSON. A figure is the median over the rounds of the medians of each run, so that what
else a machine does for a while falls on everybody. A peer that is not installed is left out, and the document says so.
"""

import argparse
import json
import os
import pathlib
import re
import shutil
import statistics
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
import plan
import report

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
PEERS = {"torch": ["torch"], "jax": ["jax", "optax"], "keras": ["keras", "tensorflow"]}


def parse_options():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5, help="how often everything is run (default 5)")
    parser.add_argument("--only", metavar="REGEX", help="runs whose name matches; prints, unless --output is given")
    parser.add_argument("--quick", action="store_true", help="one short round; prints, unless --output is given")
    parser.add_argument("--threads", type=int, default=2, help="for everybody (default 2, as in the targets)")
    parser.add_argument("--python", default=sys.executable, help="the interpreter with the peers (default: this one)")
    parser.add_argument("--bin-path", type=pathlib.Path, help="where reel-bench and mnist-rows are built already")
    parser.add_argument("--output", type=pathlib.Path, help="the document (default Docs/Benchmarks.md)")
    options = parser.parse_args()
    if options.rounds < 1 or options.threads < 1:
        parser.error("--rounds and --threads are at least 1")
    try:
        re.compile(options.only or "")
    except re.error as problem:
        parser.error(f"--only: {problem}")
    return options


class Programs:
    """Where the programs are, and which of them there are."""

    def __init__(self, options, scratch):
        self.python = options.python
        self.bin_path = options.bin_path.resolve() if options.bin_path else self.build()
        self.versions = {peer: self.version(modules) for peer, modules in PEERS.items()}
        self.limit = self.build_limit(scratch) if options.threads == 2 else None
        available = {"reel", "mnist"} | {peer for peer, version in self.versions.items() if version}
        self.available = available | ({"limit"} if self.limit else set())

    def build(self):
        build = ["swift", "build", "-c", "release", "--package-path", str(ROOT)]
        for product in ("reel-bench", "mnist-rows"):
            subprocess.run([*build, "--product", product], check=True, stdout=sys.stderr)
        path = subprocess.run([*build, "--show-bin-path"], check=True, capture_output=True, text=True).stdout
        return pathlib.Path(path.strip())

    def version(self, modules):
        code = f"import {', '.join(modules)}; print(' '.join(m.__version__ for m in ({', '.join(modules)},)))"
        found = subprocess.run([self.python, "-c", code], capture_output=True, text=True, env=environment())
        return found.stdout.split() if found.returncode == 0 else None

    def build_limit(self, scratch):
        """The path of the program, or None where it cannot be: it wants clang and AVX-512."""
        if not shutil.which("clang") or "avx512f" not in report.cpu_flags():
            return None
        path = os.path.join(scratch, "limit")
        flags = ["-O3", "-march=native", "-ffp-contract=fast", "-pthread"]
        built = subprocess.run(["clang", *flags, str(HERE / "peers" / "limit.c"), "-o", path, "-lm"])
        return path if built.returncode == 0 else None

    def command(self, run, options):
        arguments = run.quick if options.quick and run.quick else run.arguments
        threads = ["--threads", str(options.threads)]
        if run.program == "reel":
            return [str(self.bin_path / "reel-bench"), *arguments, *threads]
        if run.program == "mnist":
            return [str(self.bin_path / "mnist-rows"), *arguments]
        if run.program == "limit":
            return [self.limit, *arguments]
        return [self.python, str(HERE / "peers" / arguments[0]), *arguments[1:], *threads]


def environment(threads=None):
    quiet = dict(os.environ, TF_CPP_MIN_LOG_LEVEL="3", PYTHONDONTWRITEBYTECODE="1")
    return dict(quiet, REEL_THREADS=str(threads)) if threads else quiet


def measure(run, command, threads):
    """What one run reports, or None if it fails."""
    if run.program == "mnist":
        return measure_memory(command, threads)
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=900, env=environment(threads))
    except subprocess.TimeoutExpired:
        print(f"  {run.name} failed: it took more than fifteen minutes", file=sys.stderr)
        return None
    lines = [line for line in done.stdout.splitlines() if line.startswith("{")]
    if done.returncode == 0 and lines:
        return json.loads(lines[-1])
    print(f"  {run.name} failed: {(done.stderr.strip().splitlines() or ['no output'])[-1]}", file=sys.stderr)
    return None


def measure_memory(command, threads):
    """The largest resident size of a program that does not report it itself."""
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, env=environment(threads))
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        return None
    return {"peak_rss_mib": usage.ru_maxrss / (1024 if sys.platform == "linux" else 1024 * 1024)}


def measure_all(runs, programs, options):
    """The reports of each run, by its name: round after round, everybody in turn."""
    reports = {run.name: [] for run in runs}
    failed = set()
    rounds = 1 if options.quick else options.rounds
    for index in range(rounds):
        for run in runs:
            if run.name in failed:
                continue
            print(f"round {index + 1} of {rounds}: {run.name}", file=sys.stderr)
            found = measure(run, programs.command(run, options), options.threads)
            if found:
                reports[run.name].append(found)
            else:
                failed.add(run.name)
    return {name: summary(found) for name, found in reports.items() if found and name not in failed}


def summary(reports):
    """Medians of the numbers that differ from round to round; the least of the minima."""
    figures = dict(reports[0])
    for key, value in figures.items():
        if isinstance(value, float):
            values = [report[key] for report in reports]
            figures[key] = min(values) if key == "min_ms" else statistics.median(values)
    return figures


def main():
    options = parse_options()
    with tempfile.TemporaryDirectory() as scratch:
        load = os.getloadavg()[0]
        if load > 0.3:
            print(f"other programs are running (load {load:.1f}): the figures will be poor", file=sys.stderr)
        programs = Programs(options, scratch)
        wanted = [run for run in plan.RUNS if re.search(options.only or "", run.name)]
        runs = [run for run in wanted if run.program in programs.available]
        if not runs:
            sys.exit("compare.py: no run has that name, or what it needs is not installed")
        figures = measure_all(runs, programs, options)
    document = report.document(figures, programs, options, load)
    output = options.output or (None if options.quick or options.only else ROOT / "Docs" / "Benchmarks.md")
    if output:
        output.write_text(document)
    else:
        print(document)


main()
