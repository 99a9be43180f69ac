"""One training step of the row classifier in PyTorch: forward, backward, Adam.

`lstm`, `gru` and `rnn` are the fused layers; cells whose name ends in `-plain` are plain operations in a Python loop,
as the author of a cell would write them.
"""

import torch
import torch.nn as nn
import torch.nn.functional as F

from measure import measure, report, sizes, step_options


def weight(*shape):
    return nn.Parameter(torch.randn(*shape) * 0.1)


def bias(*shape):
    return nn.Parameter(torch.zeros(*shape))


class PlainLSTM(nn.Module):
    def __init__(self, inputs, units):
        super().__init__()
        self.units = units
        self.w, self.u, self.b = weight(inputs, 4 * units), weight(units, 4 * units), bias(4 * units)

    def forward(self, x):
        h = c = x.new_zeros(x.shape[0], self.units)
        for t in range(x.shape[1]):
            i, f, g, o = (x[:, t] @ self.w + h @ self.u + self.b).chunk(4, 1)
            c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
            h = torch.sigmoid(o) * torch.tanh(c)
        return h


class PlainGRU(nn.Module):
    def __init__(self, inputs, units):
        super().__init__()
        self.units = units
        self.w, self.u, self.b = weight(inputs, 3 * units), weight(units, 3 * units), bias(2, 3 * units)

    def forward(self, x):
        h = x.new_zeros(x.shape[0], self.units)
        for t in range(x.shape[1]):
            xz, xr, xn = (x[:, t] @ self.w + self.b[0]).chunk(3, 1)
            hz, hr, hn = (h @ self.u + self.b[1]).chunk(3, 1)
            z, r = torch.sigmoid(xz + hz), torch.sigmoid(xr + hr)
            h = z * h + (1 - z) * torch.tanh(xn + r * hn)
        return h


class PlainMGU(nn.Module):
    """The minimal gated unit: a cell that no library has fused."""

    def __init__(self, inputs, units):
        super().__init__()
        self.units = units
        self.wf, self.uf, self.bf = weight(inputs, units), weight(units, units), bias(units)
        self.wn, self.un, self.bn = weight(inputs, units), weight(units, units), bias(units)

    def forward(self, x):
        h = x.new_zeros(x.shape[0], self.units)
        for t in range(x.shape[1]):
            f = torch.sigmoid(x[:, t] @ self.wf + h @ self.uf + self.bf)
            n = torch.tanh(x[:, t] @ self.wn + (f * h) @ self.un + self.bn)
            h = (1 - f) * h + f * n
        return h


class Fused(nn.Module):
    def __init__(self, layer, inputs, units):
        super().__init__()
        self.layer = layer(inputs, units, batch_first=True)

    def forward(self, x):
        return self.layer(x)[0][:, -1]


CELLS = {
    "lstm": lambda i, u: Fused(nn.LSTM, i, u), "gru": lambda i, u: Fused(nn.GRU, i, u),
    "rnn": lambda i, u: Fused(nn.RNN, i, u), "lstm-plain": PlainLSTM, "gru-plain": PlainGRU, "mgu-plain": PlainMGU,
}


def main():
    parser = step_options(CELLS)
    parser.add_argument("--compile", action="store_true")
    parser.add_argument("--forward-only", action="store_true")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    torch.manual_seed(0)
    net = nn.Sequential(CELLS[options.cell](options.input, options.units), nn.Linear(options.units, 10))
    optimizer = torch.optim.Adam(net.parameters(), lr=1e-3)
    x = torch.rand(options.batch, options.time, options.input)
    y = torch.randint(0, 10, (options.batch,))

    def train():
        loss = F.cross_entropy(net(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

    def forward():
        with torch.no_grad():
            net(x)

    step = forward if options.forward_only else train
    if options.compile:
        step = torch.compile(step)
    report("torch", measure(step, options.iterations), version=torch.__version__, compiled=options.compile,
           forward_only=options.forward_only, **sizes(options))


main()
