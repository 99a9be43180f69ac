"""An LSTM's gradient along a long sequence in JAX: time, memory and compile time.

`scan` keeps what the backward pass needs, `remat` recomputes it in blocks of √T steps, `unroll` copies the cell.
"""

import argparse

from measure import measure, peak_rss_mib, pin, report, with_threads

parser = with_threads(argparse.ArgumentParser())
parser.add_argument("--time", type=int, default=1000)
parser.add_argument("--kind", choices=["scan", "remat", "unroll"], default="scan")
options = parser.parse_args()
pin(options.threads)

import jax
import jax.numpy as jnp

BATCH, INPUTS, UNITS = 32, 28, 64


def cell(parameters, state, x):
    (w, u, b), (h, c) = parameters, state
    i, f, g, o = jnp.split(x @ w + h @ u + b, 4, 1)
    c = jax.nn.sigmoid(f) * c + jax.nn.sigmoid(i) * jnp.tanh(g)
    return (jax.nn.sigmoid(o) * jnp.tanh(c), c), None


def loss(parameters, xs):
    def step(state, x):
        return cell(parameters, state, x)

    state = (jnp.zeros((BATCH, UNITS)),) * 2
    if options.kind == "remat":
        block = int(options.time**0.5)
        xs = xs[: block * block].reshape(block, block, BATCH, INPUTS)
        state, _ = jax.lax.scan(jax.checkpoint(lambda s, x: jax.lax.scan(step, s, x)), state, xs)
    else:
        state, _ = jax.lax.scan(step, state, xs, unroll=options.time if options.kind == "unroll" else 1)
    return state[0].sum()


def main():
    key = jax.random.key(0)
    w = jax.random.normal(key, (INPUTS, 4 * UNITS)) * 0.1
    u = jax.random.normal(key, (UNITS, 4 * UNITS)) * 0.1
    parameters = (w, u, jnp.zeros(4 * UNITS))
    jax.block_until_ready(parameters)
    start = peak_rss_mib()
    xs = jax.block_until_ready(jax.random.normal(key, (options.time, BATCH, INPUTS)))
    gradient = jax.jit(jax.grad(loss))
    figures = measure(lambda: jax.block_until_ready(gradient(parameters, xs)), 3)
    report("jax", figures, version=jax.__version__, form="length", kind=options.kind, time=options.time,
           threads=options.threads, step_us=figures["median_ms"] * 1e3 / options.time,
           memory_mib=peak_rss_mib() - start)


main()
