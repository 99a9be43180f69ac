#!/usr/bin/env python3
"""Proves that safetensors files go from Reel to Python's safetensors package and back.

    python3 Tests/Scripts/safetensors_roundtrip.py [--skip-build]

Writes a file with the package, runs the test SafetensorsExchangeTests, which reads it and writes another, and reads that.
Without the packages safetensors and numpy it says so and ends with status 0.
"""
import os
import pathlib
import subprocess
import sys
import tempfile

try:
    import numpy
    import safetensors
    from safetensors.numpy import load_file, save_file
except ImportError as error:
    print(f"SKIPPED: Python's {error.name} is not installed, so that no file was exchanged")
    sys.exit(0)

# The same formulas are in SafetensorsExchangeTests.swift.
TENSORS = {
    "f32": (numpy.arange(12, dtype="float32") / 2 - 1).reshape(3, 4),
    "f64": numpy.arange(5, dtype="float64") / 3,
    "i32": numpy.array([[1, -2], [3, -4]], "int32"),
    "bool": numpy.array([True, False, True]),
    "scalar": numpy.array(2.5, "float32"),
    "empty": numpy.zeros((0, 3), "float32"),
    'layers.0."ключ"': numpy.array([numpy.inf, -0.0], "float32"),
}
CONVERTED = ["float16", "int64", "int16", "int8", "uint64", "uint32", "uint16", "uint8"]


def main():
    root = pathlib.Path(__file__).resolve().parents[2]
    with tempfile.TemporaryDirectory() as folder:
        extra = {f"as_{name}": numpy.arange(3).astype(name) for name in CONVERTED}
        save_file({**TENSORS, **extra}, f"{folder}/there.safetensors", metadata={"made": "elsewhere"})
        command = ["swift", "test", "--filter", "SafetensorsExchangeTests", *sys.argv[1:]]
        run = subprocess.run(
            command, cwd=root, env={**os.environ, "REEL_EXCHANGE_FOLDER": folder}, capture_output=True, text=True)
        if run.returncode:
            sys.exit(f"Reel did not read the file of Python:\n{run.stdout}{run.stderr}")
        path = f"{folder}/reel.safetensors"
        if not os.path.exists(path):
            sys.exit(f"the test did not run:\n{run.stdout}{run.stderr}")
        found = load_file(path)
        with safetensors.safe_open(path, "numpy") as file:
            if file.metadata() != {"made": "by Reel"}:
                sys.exit(f"the metadata are {file.metadata()}")
    if set(found) != set(TENSORS):
        sys.exit(f"the tensors are {sorted(found)}")
    for name, expected in TENSORS.items():
        same = found[name].dtype == expected.dtype and found[name].shape == expected.shape
        if not same or found[name].tobytes() != expected.tobytes():
            sys.exit(f"'{name}' is {found[name]!r}, not {expected!r}")
    print(f"{len(TENSORS) + len(extra)} tensors from Python to Reel, {len(TENSORS)} back: the same")


main()
