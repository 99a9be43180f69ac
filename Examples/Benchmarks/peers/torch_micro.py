"""PyTorch in small: what one recorded operation costs, latency at batch 1, and time and memory against length."""

import argparse

import torch
import torch.nn as nn

from measure import measure, peak_rss_mib, report, with_threads

STEPS = 1000


def eager(options):
    w = torch.randn(8, 8, requires_grad=True)
    x = torch.randn(8, 8)

    def forward():
        y = x
        for _ in range(STEPS):
            y = torch.tanh(y + w)
        return y.sum()

    forward_only = measure(forward, 30)
    both = measure(lambda: forward().backward(), 30)
    per_operation = 1e3 / (2 * STEPS)
    return dict(both, forward_us=forward_only["median_ms"] * per_operation,
                forward_backward_us=both["median_ms"] * per_operation)


def stream(options):
    layer = nn.LSTM(28, 64, batch_first=True).eval()
    x, sequence = torch.randn(1, 1, 28), torch.zeros(1, 28, 28)
    state = (torch.zeros(1, 1, 64),) * 2
    with torch.no_grad():
        one = measure(lambda: layer(x, state), 300)
        whole = measure(lambda: layer(sequence), 300)
    return dict(one, step_us=one["median_ms"] * 1e3, sequence_us=whole["median_ms"] * 1e3)


def plain_lstm():
    w, u, b = (nn.Parameter(torch.randn(*shape) * 0.1) for shape in ((28, 256), (64, 256), (256,)))

    def run(x):
        h = c = x.new_zeros(x.shape[0], 64)
        for t in range(x.shape[1]):
            i, f, g, o = (x[:, t] @ w + h @ u + b).chunk(4, 1)
            c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
            h = torch.sigmoid(o) * torch.tanh(c)
        return h

    return run, [w, u, b]


def fused_lstm():
    layer = nn.LSTM(28, 64, batch_first=True)
    return (lambda x: layer(x)[0][:, -1]), list(layer.parameters())


def length(options):
    start = peak_rss_mib()
    run, parameters = fused_lstm() if options.kind == "fused" else plain_lstm()
    x = torch.randn(32, options.time, 28)

    def step():
        for parameter in parameters:
            parameter.grad = None
        run(x).sum().backward()

    figures = measure(step, 3)
    return dict(figures, step_us=figures["median_ms"] * 1e3 / options.time, memory_mib=peak_rss_mib() - start,
                time=options.time, kind=options.kind)


def main():
    parser = with_threads(argparse.ArgumentParser())
    parser.add_argument("what", choices=["eager", "stream", "length"])
    parser.add_argument("--time", type=int, default=1000, help="steps of `length`")
    parser.add_argument("--kind", choices=["fused", "plain"], default="plain", help="LSTM of `length`")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    figures = {"eager": eager, "stream": stream, "length": length}[options.what](options)
    report("torch", figures, version=torch.__version__, form=options.what, threads=options.threads)


main()
