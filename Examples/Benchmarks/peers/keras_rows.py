"""One training step of the row classifier in Keras 3 on TensorFlow: its symbolic loop, or `--unroll`."""

import os

from measure import measure, pin, report, sizes, step_options

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
parser = step_options(["lstm", "gru", "mgu"])
parser.add_argument("--unroll", action="store_true")
parser.add_argument("--jit", action="store_true", help="compile with XLA")
options = parser.parse_args()
pin(options.threads)

import keras
import numpy as np
import tensorflow as tf
from keras import layers, ops


class MinimalGatedUnit(layers.Layer):
    def __init__(self, units):
        super().__init__()
        self.units = self.state_size = self.output_size = units

    def build(self, shape):
        self.w = self.add_weight(shape=(shape[-1], 2 * self.units))
        self.u = self.add_weight(shape=(self.units, 2 * self.units))
        self.b = self.add_weight(shape=(2 * self.units,), initializer="zeros")
        self.built = True

    def call(self, x, states, training=False):
        h, n = states[0], self.units
        z = ops.matmul(x, self.w) + self.b
        forget = ops.sigmoid(z[:, :n] + ops.matmul(h, self.u[:, :n]))
        candidate = ops.tanh(z[:, n:] + ops.matmul(forget * h, self.u[:, n:]))
        h = (1 - forget) * h + forget * candidate
        return h, [h]


def main():
    layer = {
        "lstm": lambda: layers.LSTM(options.units, unroll=options.unroll),
        "gru": lambda: layers.GRU(options.units, unroll=options.unroll),
        "mgu": lambda: layers.RNN(MinimalGatedUnit(options.units), unroll=options.unroll),
    }[options.cell]()
    model = keras.Sequential([layers.Input((options.time, options.input)), layer, layers.Dense(10)])
    cost = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    optimizer = keras.optimizers.Adam(1e-3)
    optimizer.build(model.trainable_variables)
    x = tf.constant(np.random.rand(options.batch, options.time, options.input).astype("f"))
    y = tf.constant(np.random.randint(0, 10, options.batch))

    # The compiled step itself, without the data pipeline of `fit`.
    @tf.function(jit_compile=options.jit)
    def step():
        with tf.GradientTape() as tape:
            loss = cost(y, model(x, training=True))
        optimizer.apply(tape.gradient(loss, model.trainable_variables), model.trainable_variables)
        return loss

    report("keras", measure(lambda: step().numpy(), options.iterations), version=keras.__version__,
           tensorflow=tf.__version__, unroll=options.unroll, jit=options.jit, **sizes(options))


main()
