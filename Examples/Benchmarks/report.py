"""Docs/Benchmarks.md out of the figures: the machine, the targets beside what was measured, and every run."""

import datetime
import os
import platform
import re
import subprocess

import plan

NAMES = {"torch": "PyTorch", "jax": "JAX", "keras": "Keras", "limit": "`limit.c`"}
INSTRUCTION_SETS = {"avx2": "AVX2", "fma": "FMA", "avx512f": "AVX-512", "avx512_bf16": "AVX-512 BF16", "asimd": "NEON"}

# The figures of a run that are told, in order.
COLUMNS = [("median_ms", "median, ms"), ("min_ms", "least, ms"), ("compile_ms", "first call, ms more"),
           ("peak_rss_mib", "peak memory, MiB")]
EXTRAS = [("forward_us", "forward {} µs an operation"), ("forward_backward_us", "with backward {} µs an operation"),
          ("step_us", "{} µs a step"), ("sequence_us", "the sequence at once {} µs"),
          ("memory_mib", "{} MiB above the start"), ("gflops", "{} GFLOP/s"),
          ("gflops_one_thread", "{} GFLOP/s on one thread")]


def cpu_fields():
    """The first processor's fields, on Linux."""
    try:
        with open("/proc/cpuinfo") as file:
            lines = file.read().split("\n\n")[0].splitlines()
    except OSError:
        return {}
    return {key.strip(): value.strip() for key, _, value in (line.partition(":") for line in lines)}


def cpu_flags():
    fields = cpu_fields()
    return (fields.get("flags") or fields.get("Features") or "").split()


def cpu_model():
    if platform.system() == "Darwin":
        query = ["sysctl", "-n", "machdep.cpu.brand_string"]
        return subprocess.run(query, capture_output=True, text=True).stdout.strip()
    return cpu_fields().get("model name", platform.machine())


def number(value):
    """Three digits, in plain notation."""
    digits = 0 if value >= 100 else 1 if value >= 10 else 2 if value >= 1 else 3 if value >= 0.1 else 4
    return f"{value:.{digits}f}"


def swift_version():
    found = subprocess.run(["swift", "--version"], capture_output=True, text=True)
    version = re.search(r"Swift version (\S+)", found.stdout + found.stderr)
    return version.group(1) if version else "unknown"


def machine(figures, programs, options, load):
    sets = [name for flag, name in INSTRUCTION_SETS.items() if flag in cpu_flags()]
    ours = next((found["isa"] for found in figures.values() if "isa" in found), "unknown")
    versions = [f"Swift {swift_version()}"]
    for peer, version in programs.versions.items():
        if not version:
            versions.append(f"{NAMES[peer]} is not installed")
        elif peer == "keras":
            versions.append(f"Keras {version[0]} on TensorFlow {version[1]}")
        else:
            versions.append(f"{NAMES[peer]} {version[0]}")
    if not programs.limit:
        versions.append("`limit.c` was not built: it is for two threads, and needs AVX-512 and clang")
    rows = [
        ("processor", f"{cpu_model()}, {os.cpu_count()} cores as the system counts them"),
        ("instruction sets", f"{', '.join(sets) or 'unknown'}; Reel used `{ours}`"),
        ("system", f"{platform.system()}, {platform.machine()}"),
        ("versions", "; ".join(versions)),
        ("threads", f"{options.threads} for everybody"),
        ("load before the start", f"{load:.2f}" + (": **other programs were running**" if load > 0.3 else "")),
        ("date", datetime.date.today().isoformat()),
    ]
    return "\n".join(["| | |", "|---|---|", *(f"| {name} | {value} |" for name, value in rows)])


def judged(target, figures, available):
    """The measured column of a target, whether it holds, and what it was compared with."""
    ours = figures.get(target.run, {}).get(target.figure)
    if ours is None:
        return "not measured", "", ""
    if not target.others:
        return f"{number(ours)} {target.unit}", verdict(ours, target.limit), ""
    found = {name: figures[name][target.figure] for name in target.others if target.figure in figures.get(name, {})}
    notes = absences([name for name in target.others if name not in found], available)
    if not found:
        return "no peer", "", notes
    best = min(found, key=found.get)
    ratio = ours / found[best]
    unit = "MiB" if target.figure.endswith("mib") else "ms"
    notes = "; ".join(filter(None, [f"{number(ours)} and {number(found[best])} {unit}, {called(best)}", notes]))
    return f"**{ratio:.2f}**", verdict(ratio, target.limit), notes


def absences(names, available):
    """Why runs that a target wants are missing."""
    missing = []
    for name in names:
        program = name.split()[0]
        why = "not measured" if program in available else "not built" if program == "limit" else "not installed"
        missing.append(f"{NAMES.get(program, 'Reel')} {why}")
    return "; ".join(dict.fromkeys(missing))


def called(name):
    program, _, rest = name.partition(" ")
    return f"{NAMES.get(program, 'Reel')} {rest}" if rest else f"Reel {name}"


def verdict(value, limit):
    return "yes" if value <= limit else "**no**"


def targets(figures, available):
    lines = ["| | target | measured | met | |", "|---|--:|--:|---|---|"]
    for target in plan.TARGETS:
        measured, met, notes = judged(target, figures, available)
        limit = f"{target.limit:g} {target.unit}" if target.unit else f"{target.limit:.2f}"
        lines.append(f"| {target.what} | ≤ {limit} | {measured} | {met} | {notes} |")
    return "\n".join(lines)


def all_runs(figures):
    lines = [f"| | {' | '.join(title for _, title in COLUMNS)} | |", "|---|" + "--:|" * len(COLUMNS) + "---|"]
    for run in plan.RUNS:
        if run.name not in figures:
            continue
        found = figures[run.name]
        cells = [number(found[key]) if key in found else "" for key, _ in COLUMNS]
        extras = "; ".join(text.format(number(found[key])) for key, text in EXTRAS if key in found)
        lines.append(f"| {called(run.name)} | {' | '.join(cells)} | {extras} |")
    return "\n".join(lines)


def document(figures, programs, options, load):
    rounds = 1 if options.quick else options.rounds
    warning = "\n**This was a short run, of few calls and a tenth of the length: its figures are rough.**\n"
    quick = warning if options.quick else ""
    return f"""# Benchmarks

What a training step costs, in Reel and elsewhere. `Examples/Benchmarks/compare.py` measured it and wrote this page:
every program in turn, {rounds} {'round' if rounds == 1 else 'rounds'}, the median of the medians.
{quick}
The work is the row classifier unless a line says otherwise: batch 128, 28 steps of 28 numbers, 64 units, a dense layer
of 10, softmax cross-entropy, Adam; forward, backward and update. Machines differ, and so do days: read the ratios.

{machine(figures, programs, options, load)}

## Targets

A ratio is Reel's time (or memory) by the peer's: smaller is better. The best of several peers is the one to beat.

{targets(figures, programs.available)}

## Every run

Memory is that of the whole process, with the framework itself.

{all_runs(figures)}

## How to repeat it

```sh
python3 Examples/Benchmarks/compare.py --python PYTHON-WITH-THE-PEERS
swift run -c release reel-bench --help
```

`Examples/Benchmarks/peers` has the peers' programs, and says how to install what they need.
"""
