"""One training step of the row classifier in MLX on the CPU: plain operations, `--compile`, or the built-in LSTM."""

from functools import partial

from measure import measure, pin, report, sizes, step_options

parser = step_options(["lstm", "lstm-builtin"], iterations=20)
parser.add_argument("--compile", action="store_true")
options = parser.parse_args()
pin(options.threads)

from importlib.metadata import version

import mlx.core as mx
import mlx.nn as nn
import mlx.optimizers as optim


class Classifier(nn.Module):
    def __init__(self, inputs, units):
        super().__init__()
        self.units = units
        self.w = mx.random.normal((inputs, 4 * units)) * 0.1
        self.u = mx.random.normal((units, 4 * units)) * 0.1
        self.b = mx.zeros(4 * units)
        self.dense = nn.Linear(units, 10)
        self.lstm = nn.LSTM(inputs, units) if options.cell == "lstm-builtin" else None

    def __call__(self, x):
        if self.lstm is not None:
            return self.dense(self.lstm(x)[0][:, -1])
        h = c = mx.zeros((x.shape[0], self.units))
        for t in range(x.shape[1]):
            i, f, g, o = mx.split(x[:, t] @ self.w + h @ self.u + self.b, 4, axis=1)
            c = mx.sigmoid(f) * c + mx.sigmoid(i) * mx.tanh(g)
            h = mx.sigmoid(o) * mx.tanh(c)
        return self.dense(h)


def main():
    mx.set_default_device(mx.cpu)
    mx.random.seed(0)
    model, optimizer = Classifier(options.input, options.units), optim.Adam(1e-3)
    mx.eval(model.parameters())
    optimizer.init(model.trainable_parameters())
    cost = nn.value_and_grad(model, lambda model, x, y: nn.losses.cross_entropy(model(x), y).mean())
    state = [model.state, optimizer.state]

    def train(x, y):
        loss, gradients = cost(model, x, y)
        optimizer.update(model, gradients)
        return loss

    step = partial(mx.compile, inputs=state, outputs=state)(train) if options.compile else train
    x = mx.random.uniform(shape=(options.batch, options.time, options.input))
    y = mx.random.randint(0, 10, (options.batch,))
    report("mlx", measure(lambda: mx.eval(step(x, y), state), options.iterations), version=version("mlx"),
           compiled=options.compile, **sizes(options))


main()
