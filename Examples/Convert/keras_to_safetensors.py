#!/usr/bin/env python3
"""Converts the weights of a Keras 3 model to a safetensors file that Reel's KerasWeights reads.

    python3 keras_to_safetensors.py model.keras model.safetensors
    python3 keras_to_safetensors.py model.weights.h5 model.safetensors

Names are those of the layers in the file: the class in snake case, numbered from the second of a kind on, as in a
Sequential of Reel (lstm, lstm_1, dense). With --own-names they are the names that the layers were given in Python.
A .keras file says what every variable is. A .weights.h5 file does not, and where its layout leaves a doubt the script
says so and stops.

Needs h5py and numpy; neither Keras nor safetensors.
"""
import argparse
import io
import json
import os
import re
import struct
import sys
import zipfile

try:
    import h5py
    import numpy
except ImportError as error:
    h5py = numpy = None
    MISSING = error.name

DTYPES = {
    "float64": "F64", "float32": "F32", "float16": "F16", "int64": "I64", "int32": "I32", "int16": "I16", "int8": "I8",
    "uint64": "U64", "uint32": "U32", "uint16": "U16", "uint8": "U8", "bool": "BOOL",
}
RECURRENT = ["kernel", "recurrent_kernel", "bias"]
VARIABLES = {
    "dense": ["kernel", "bias"], "einsum_dense": ["kernel", "bias"], "conv1d": ["kernel", "bias"],
    "embedding": ["embeddings"], "p_re_lu": ["alpha"], "simple_rnn_cell": RECURRENT, "lstm_cell": RECURRENT,
    "gru_cell": RECURRENT, "layer_normalization": ["gamma", "beta"],
    "batch_normalization": ["gamma", "beta", "moving_mean", "moving_variance"],
}
# Variables that a setting of the layer turns off.
SWITCHES = {"gamma": "scale", "beta": "center", "bias": "use_bias"}


class Doubt(Exception):
    """What the file does not say."""


def snake_case(name):
    """Keras's rule for the name of a class."""
    name = re.sub(r"(.)([A-Z][a-z]+)", r"\1_\2", re.sub(r"\W+", "", name))
    return re.sub(r"([a-z])([A-Z])", r"\1_\2", name).lower()


def numbered(nodes):
    """The group of each layer of a list: its class, numbered from the second of a kind on."""
    counts = {}
    for node in nodes:
        name = snake_case(node["class_name"])
        counts[name] = counts.get(name, -1) + 1
        yield (f"{name}_{counts[name]}" if counts[name] else name), node


def walk(node, path, found):
    """Collects the description of each layer by the path of its group in the weights."""
    config = node.get("config", {})
    found[path] = node
    inner = {
        "layer": "forward_layer" if node["class_name"] == "Bidirectional" else "layer",
        "backward_layer": "backward_layer", "cell": "cell",
    }
    for key, group in inner.items():
        if isinstance(config.get(key), dict):
            walk(config[key], f"{path}/{group}", found)
    if node["class_name"] == "Bidirectional" and "layer" in config and not config.get("backward_layer"):
        walk(config["layer"], f"{path}/backward_layer", found)
    if node["class_name"] in ("SimpleRNN", "LSTM", "GRU"):
        # A layer of one cell has the settings of both.
        found[f"{path}/cell"] = {"class_name": node["class_name"] + "Cell", "config": config}
    for key in ("layers", "cells"):
        nodes = config.get(key)
        for index, (name, child) in enumerate(numbered(nodes if isinstance(nodes, list) else [])):
            group = f"{path}/{key}/{name}".lstrip("/")
            walk(child, group, found)
            found[group]["index"] = index


def variable_names(group, count, node):
    """The names of the variables of a group, in their order."""
    last = group.rsplit("/", 1)[-1]
    kind = snake_case(node["class_name"]) if node else re.sub(r"_\d+$", "", last)
    if last == "cell" and not node:
        kind = "lstm_cell"  # the variables of all cells have the same names
    if kind not in VARIABLES:
        raise Doubt(f"'{group}' is of a class that is not known here ({kind}); convert the .keras file, or add the class")
    names = VARIABLES[kind]
    if node:
        names = [n for n in names if n not in SWITCHES or node["config"].get(SWITCHES[n], True)]
    elif len(names) != count and names[-1] == "bias":
        names = names[:-1]
    if len(names) != count:
        raise Doubt(f"'{group}' has {count} variables where {names} were expected")
    return names


def reel_name(group, nodes, own_names):
    """The path of a group in Reel: without the levels that Reel does not have."""
    parts, walked = [], ""
    steps = group.split("/")
    for index, step in enumerate(steps):
        before = steps[index - 1] if index else ""
        walked = f"{walked}/{step}".lstrip("/")
        if step in ("layers", "cell"):
            continue
        if before == "cells":
            if walked not in nodes:
                raise Doubt(f"'{group}' is one of several cells, whose order only a .keras file says")
            parts.append(str(nodes[walked]["index"]))
        elif step in ("forward_layer", "backward_layer"):
            parts.append(step[: -len("_layer")])
        elif own_names and before == "layers" and walked in nodes:
            parts.append(nodes[walked]["config"]["name"])
        else:
            parts.append(step)
    return ".".join(parts)


def read(path):
    """The weights of a file, and the description of the model if it has one."""
    if not path.endswith(".keras"):
        return h5py.File(path, "r"), {}
    with zipfile.ZipFile(path) as archive:
        model = json.loads(archive.read("config.json"))
        nodes = {}
        walk(model, "", nodes)
        return h5py.File(io.BytesIO(archive.read("model.weights.h5")), "r"), nodes


def convert(path, own_names=False):
    """The weights of a file by their names in Reel."""
    weights, nodes = read(path)
    if own_names and not nodes:
        raise Doubt("only a .keras file has the layers' own names")
    groups = []
    weights.visititems(lambda name, item: groups.append(name) if name.endswith("vars") and len(item) else None)
    tensors = {}
    for name in groups:
        group = name[: -len("/vars")]
        if "seed_generator" in group:
            continue
        variables = [weights[name][str(index)][()] for index in range(len(weights[name]))]
        prefix = reel_name(group, nodes, own_names)
        for variable, value in zip(variable_names(group, len(variables), nodes.get(group)), variables):
            if tensors.setdefault(f"{prefix}.{variable}", value) is not value:
                raise Doubt(f"two layers are called '{prefix}'")
    return tensors


def write(tensors, path):
    """Writes a safetensors file, in one step."""
    header, offset, data = {}, 0, []
    for name in sorted(tensors):
        array = numpy.ascontiguousarray(tensors[name]).reshape(tensors[name].shape)
        raw = array.astype(array.dtype.newbyteorder("<")).tobytes()
        code = DTYPES.get(array.dtype.name)
        if code is None:
            raise Doubt(f"'{name}' has elements of type {array.dtype.name}")
        header[name] = {"dtype": code, "shape": list(array.shape), "data_offsets": [offset, offset + len(raw)]}
        offset += len(raw)
        data.append(raw)
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    with open(path + ".partial", "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + b"".join(data))
    os.replace(path + ".partial", path)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", help="a .keras or .weights.h5 file")
    parser.add_argument("target", help="the safetensors file to write")
    parser.add_argument("--own-names", action="store_true", help="call layers what they were called in Python")
    arguments = parser.parse_args()
    if h5py is None:
        sys.exit(f"the Python package {MISSING} is missing: python3 -m pip install h5py numpy")
    try:
        tensors = convert(arguments.source, arguments.own_names)
        write(tensors, arguments.target)
    except (Doubt, OSError, KeyError, zipfile.BadZipFile) as error:
        sys.exit(f"{arguments.source}: {error}")
    for name in sorted(tensors):
        print(f"{name}  {tensors[name].dtype}{list(tensors[name].shape)}")


if __name__ == "__main__":
    main()
