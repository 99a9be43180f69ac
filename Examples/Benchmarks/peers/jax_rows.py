"""One training step of the row classifier in JAX: `lax.scan`, or with `--unroll` a copy of the cell for every step.

`--hoist` takes the input product out of the loop by hand.
"""

from measure import measure, pin, report, sizes, step_options

GATES = {"lstm": 4, "gru": 3, "mgu": 2}
parser = step_options(GATES)
parser.add_argument("--unroll", action="store_true")
parser.add_argument("--hoist", action="store_true")
options = parser.parse_args()
pin(options.threads)

import jax
import jax.numpy as jnp
import optax

sigmoid, tanh = jax.nn.sigmoid, jnp.tanh


def lstm(p, carry, zx):
    h, c = carry
    i, f, g, o = jnp.split(zx + h @ p["u"], 4, 1)
    c = sigmoid(f) * c + sigmoid(i) * tanh(g)
    return sigmoid(o) * tanh(c), c


def gru(p, carry, zx):
    (h,) = carry
    xz, xr, xn = jnp.split(zx, 3, 1)
    hz, hr, hn = jnp.split(h @ p["u"] + p["b2"], 3, 1)
    z, r = sigmoid(xz + hz), sigmoid(xr + hr)
    return (z * h + (1 - z) * tanh(xn + r * hn),)


def mgu(p, carry, zx):
    (h,) = carry
    xf, xn = jnp.split(zx, 2, 1)
    uf, un = jnp.split(p["u"], 2, 1)
    f = sigmoid(xf + h @ uf)
    return ((1 - f) * h + f * tanh(xn + (f * h) @ un),)


CELL = {"lstm": lstm, "gru": gru, "mgu": mgu}[options.cell]


def loss(p, x, y):
    def project(x):
        return x @ p["w"] + p["b"]

    xs = jnp.swapaxes(x, 0, 1)
    if options.hoist:
        xs = project(xs)

    def body(carry, x):
        return CELL(p, carry, x if options.hoist else project(x)), None

    zeros = jnp.zeros((options.batch, options.units))
    carry = (zeros, zeros) if options.cell == "lstm" else (zeros,)
    carry, _ = jax.lax.scan(body, carry, xs, unroll=options.time if options.unroll else 1)
    return optax.softmax_cross_entropy_with_integer_labels(carry[0] @ p["v"] + p["c"], y).mean()


def main():
    key = jax.random.key(0)
    units, wide = options.units, GATES[options.cell] * options.units

    def weight(index, *shape):
        return jax.random.normal(jax.random.fold_in(key, index), shape) * 0.1

    parameters = dict(w=weight(1, options.input, wide), u=weight(2, units, wide), b=jnp.zeros(wide),
                      b2=jnp.zeros(wide), v=weight(3, units, 10), c=jnp.zeros(10))
    optimizer = optax.adam(1e-3)
    state = parameters, optimizer.init(parameters)
    x = jax.random.uniform(key, (options.batch, options.time, options.input))
    y = jax.random.randint(key, (options.batch,), 0, 10)

    @jax.jit
    def train(parameters, moments, x, y):
        gradients = jax.grad(loss)(parameters, x, y)
        updates, moments = optimizer.update(gradients, moments, parameters)
        return optax.apply_updates(parameters, updates), moments

    def step():
        nonlocal state
        state = jax.block_until_ready(train(*state, x, y))

    report("jax", measure(step, options.iterations), version=jax.__version__, unroll=options.unroll,
           hoist=options.hoist, **sizes(options))


main()
