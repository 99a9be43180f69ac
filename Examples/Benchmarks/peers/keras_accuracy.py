"""Test accuracy that Keras reaches on the digits of Examples/MNISTRows: LSTM(64), Dense(10), Adam, batch 128.

usage: keras_accuracy.py FOLDER [--epochs 20] [--seeds 5]
"""

import argparse
import os
import struct
import time

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import keras
import numpy as np


def idx(path):
    with open(path, "rb") as file:
        rank = struct.unpack(">BBBB", file.read(4))[3]
        shape = struct.unpack(">" + "I" * rank, file.read(4 * rank))
        return np.frombuffer(file.read(), np.uint8).reshape(shape)


def digits(folder, part):
    return idx(f"{folder}/{part}-images-idx3-ubyte") / 255.0, idx(f"{folder}/{part}-labels-idx1-ubyte")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("folder")
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--seeds", type=int, default=5)
    options = parser.parse_args()
    (x, y), test = digits(options.folder, "train"), digits(options.folder, "t10k")
    accuracies = []
    for seed in range(options.seeds):
        keras.utils.set_random_seed(seed)
        layers = keras.layers
        model = keras.Sequential([layers.Input((28, 28)), layers.LSTM(64), layers.Dense(10)])
        cost = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        model.compile(keras.optimizers.Adam(1e-3), cost, metrics=["accuracy"])
        start = time.time()
        history = model.fit(x, y, batch_size=128, epochs=options.epochs, verbose=0).history
        accuracies.append(model.evaluate(*test, verbose=0)[1])
        print(f"seed {seed}: cost {history['loss'][-1]:.4f}, test accuracy {accuracies[-1]:.4f}, "
              f"fit {time.time() - start:.1f} s", flush=True)
    print(f"mean test accuracy {np.mean(accuracies):.4f} (from {min(accuracies):.4f} to {max(accuracies):.4f})")


main()
