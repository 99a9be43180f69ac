"""What compare.py runs, and the targets that it sets the figures beside."""

from dataclasses import dataclass, field


@dataclass
class Run:
    name: str
    program: str  # reel, mnist, torch, jax, keras or limit
    arguments: list
    quick: list = field(default_factory=list)  # what --quick runs instead


def rows(name, program, *arguments, iterations=300):
    """A training step of the row classifier, so often that a busy moment of the machine does not decide the median."""
    first = {"reel": "step", "torch": "torch_rows.py", "jax": "jax_rows.py", "keras": "keras_rows.py"}[program]
    return Run(f"{program} {name}", program, [first, *arguments, "--iterations", str(iterations)],
               [first, *arguments, "--iterations", "5"])


def length(program, *arguments):
    return Run(f"{program} length", program, [*arguments, "--time", "4000"], [*arguments, "--time", "400"])


# In the order in which they are run: what is compared stands together.
RUNS = [
    rows("lstm", "reel"),
    rows("lstm", "torch"),
    Run("limit lstm", "limit", []),
    rows("lstm", "jax"),
    rows("lstm", "keras"),
    rows("lstm-gates", "reel", "--cell", "lstm-gates"),
    rows("mgu", "reel", "--cell", "mgu"),
    rows("mgu", "torch", "--cell", "mgu-plain"),
    rows("mgu", "jax", "--cell", "mgu"),
    rows("mgu", "keras", "--cell", "mgu"),
    rows("gru", "reel", "--cell", "gru"),
    rows("gru", "torch", "--cell", "gru"),
    rows("gru-plain", "torch", "--cell", "gru-plain"),
    rows("gru", "jax", "--cell", "gru"),
    rows("gru", "keras", "--cell", "gru"),
    rows("lstm-256", "reel", "--units", "256", iterations=60),
    rows("lstm-256", "torch", "--units", "256", iterations=60),
    rows("lstm-unroll", "reel", "--mode", "unroll"),
    rows("lstm-unroll", "jax", "--unroll"),
    rows("lstm-unroll", "keras", "--unroll"),
    rows("lstm-unroll-100", "reel", "--mode", "unroll", "--time", "100"),
    rows("lstm-eager", "reel", "--mode", "eager"),
    rows("lstm-eager", "torch", "--cell", "lstm-plain"),
    Run("reel eager", "reel", ["eager"]),
    Run("torch eager", "torch", ["torch_micro.py", "eager"]),
    Run("reel stream", "reel", ["stream"]),
    Run("torch stream", "torch", ["torch_micro.py", "stream"]),
    length("reel", "length"),
    length("torch", "torch_micro.py", "length", "--kind", "plain"),
    length("jax", "jax_length.py", "--kind", "scan"),
    Run("mnist-rows", "mnist", ["--epochs", "2"], ["--epochs", "1"]),
    Run("reel product", "reel", ["product"]),
]


@dataclass
class Target:
    """What is to hold of a figure of one run: absolutely, or as a ratio to the best of others."""

    what: str
    run: str
    limit: float
    figure: str = "median_ms"
    unit: str = ""  # of an absolute figure
    others: tuple = ()


TARGETS = [
    Target("LSTM, loop / PyTorch's fused `nn.LSTM`", "reel lstm", 0.45, others=("torch lstm",)),
    Target("LSTM, loop / hand-written `limit.c`", "reel lstm", 1.15, others=("limit lstm",)),
    Target("LSTM of four separate gates / LSTM", "reel lstm-gates", 1.10, others=("reel lstm",)),
    Target("MGU, loop / best MGU of the three", "reel mgu", 0.45, others=("torch mgu", "jax mgu", "keras mgu")),
    Target("GRU, loop / best GRU of the three", "reel gru", 0.50,
           others=("torch gru", "torch gru-plain", "jax gru", "keras gru")),
    Target("LSTM of 256 units, loop / PyTorch's fused `nn.LSTM`", "reel lstm-256", 0.80, others=("torch lstm-256",)),
    Target("LSTM, unrolled / better of JAX and Keras, unrolled", "reel lstm-unroll", 0.50,
           others=("jax lstm-unroll", "keras lstm-unroll")),
    Target("compilation, LSTM loop", "reel lstm", 20, "compile_ms", "ms"),
    Target("compilation, LSTM unrolled, 28 steps", "reel lstm-unroll", 150, "compile_ms", "ms"),
    Target("compilation, LSTM unrolled, 100 steps", "reel lstm-unroll-100", 600, "compile_ms", "ms"),
    Target("one 8×8 operation, recorded, forward and backward", "reel eager", 1.5, "forward_backward_us", "µs"),
    Target("LSTM, eager / PyTorch's plain LSTM, eager", "reel lstm-eager", 0.60, others=("torch lstm-eager",)),
    Target("one LSTM step at batch 1", "reel stream", 8, "step_us", "µs"),
    Target("gradient along 4,000 steps / best of PyTorch plain and JAX scan", "reel length", 0.50,
           others=("torch length", "jax length")),
    Target("its memory / JAX scan's", "reel length", 1.0, "memory_mib", others=("jax length",)),
    Target("peak memory of `mnist-rows`", "mnist-rows", 80, "peak_rss_mib", "MiB"),
]
