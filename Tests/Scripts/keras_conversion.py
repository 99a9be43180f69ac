#!/usr/bin/env python3
"""Checks Examples/Convert/keras_to_safetensors.py on a real model of Keras.

    KERAS_BACKEND=torch python3 Tests/Scripts/keras_conversion.py

Without keras, h5py or safetensors it says so and ends with status 0.
"""
import importlib.util
import pathlib
import sys
import tempfile

try:
    import h5py  # noqa: F401
    import keras
    import numpy
    from keras import layers
    from safetensors.numpy import load_file
except ImportError as error:
    print(f"SKIPPED: Python's {error.name} is not installed, so that nothing was converted")
    sys.exit(0)

SCRIPT = pathlib.Path(__file__).resolve().parents[2] / "Examples/Convert/keras_to_safetensors.py"


def converter():
    specification = importlib.util.spec_from_file_location("keras_to_safetensors", SCRIPT)
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


def model(stack):
    """A model with every kind of layer that has weights, and the names of its variables in order."""
    cells = [layers.LSTMCell(3), layers.GRUCell(2)]
    parts = [
        keras.Input((6,)), layers.Embedding(9, 3), layers.Bidirectional(layers.LSTM(4, return_sequences=True)),
        *([layers.RNN(cells, return_sequences=True)] if stack else []),
        layers.BatchNormalization(scale=not stack), layers.LayerNormalization(), layers.Conv1D(4, 2),
        layers.TimeDistributed(layers.Dense(3)) if stack else layers.Dense(3),
        layers.SimpleRNN(4, dropout=0.1, return_sequences=True), layers.GRU(3, name="last"), layers.Dense(2),
        layers.Dense(1, use_bias=False),
    ]
    recurrent = ["kernel", "recurrent_kernel", "bias"]
    names = ["embedding.embeddings"]
    names += [f"bidirectional.{way}.{name}" for way in ("forward", "backward") for name in recurrent]
    names += [f"rnn.cells.{cell}.{name}" for cell in (0, 1) for name in recurrent if stack]
    variables = ["gamma", "beta", "moving_mean", "moving_variance"][1 if stack else 0:]
    names += [f"batch_normalization.{name}" for name in variables]
    names += ["layer_normalization.gamma", "layer_normalization.beta", "conv1d.kernel", "conv1d.bias"]
    names += ["time_distributed.layer.kernel", "time_distributed.layer.bias"] if stack else ["dense.kernel", "dense.bias"]
    names += [f"{layer}.{name}" for layer in ("simple_rnn", "gru") for name in recurrent]
    first = 0 if stack else 1
    dense = ["dense", "dense_1", "dense_2"]
    names += [f"{dense[first]}.kernel", f"{dense[first]}.bias", f"{dense[first + 1]}.kernel"]
    return keras.Sequential(parts), names


def check(script, path, target, network, names):
    script.write(script.convert(path), target)
    found = load_file(target)
    expected = dict(zip(names, (keras.ops.convert_to_numpy(weight) for weight in network.weights), strict=True))
    assert set(found) == set(expected), set(found) ^ set(expected)
    for name, value in expected.items():
        assert found[name].dtype == value.dtype and numpy.array_equal(found[name], value), name
    return len(found)


def main():
    script = converter()
    count = 0
    with tempfile.TemporaryDirectory() as folder:
        for stack in (True, False):
            network, names = model(stack)
            for weight in network.weights:
                weight.assign(numpy.random.default_rng(len(names)).normal(size=weight.shape))
            network.save(f"{folder}/m.keras")
            count += check(script, f"{folder}/m.keras", f"{folder}/m.safetensors", network, names)
            if not stack:
                network.save_weights(f"{folder}/m.weights.h5")
                count += check(script, f"{folder}/m.weights.h5", f"{folder}/m.safetensors", network, names)
        try:
            network, _ = model(True)
            network.save_weights(f"{folder}/m.weights.h5")
            script.convert(f"{folder}/m.weights.h5")
            sys.exit("the order of stacked cells was guessed")
        except script.Doubt:
            pass
        own = script.convert(f"{folder}/m.keras", own_names=True)
        assert {"last.kernel", "last.recurrent_kernel", "last.bias"} <= set(own), sorted(own)
    print(f"{count} variables converted: the same")


main()
