"""Recurrent networks: a layer over a sequence, the LSTM's step, and the gradient through time."""

import numpy as np
import torch
from torch import nn

from coursekit.grading import case, question


def recurrent(carry=lambda h: h, backwards=False, squash=torch.tanh, bias=1.0):
    """A plain recurrent layer, right or with one thing changed."""

    class RNN(nn.Module):
        def __init__(self, n, H):
            super().__init__()
            self.weight_ih = nn.Parameter(torch.zeros(H, n))
            self.weight_hh = nn.Parameter(torch.zeros(H, H))
            self.bias = nn.Parameter(torch.zeros(H))

        def forward(self, x):
            B, T, _ = x.shape
            h, states = x.new_zeros(B, len(self.bias)), []
            for t in reversed(range(T)) if backwards else range(T):
                sums = x[:, t] @ self.weight_ih.T + bias * self.bias
                h = squash(sums + carry(h) @ self.weight_hh.T)
                states.append(h)
            return torch.stack(states, 1)

    return RNN


class AllInputsAtOnce(recurrent()):
    def forward(self, x):
        shares = torch.einsum("bti,hi->tbh", x, self.weight_ih) + self.bias
        h, states = torch.zeros_like(shares[0]), []
        for share in shares:
            h = torch.tanh(share + torch.einsum("bh,gh->bg", h, self.weight_hh))
            states.append(h[:, None])
        return torch.cat(states, dim=1)


class WithOneMatrix(recurrent()):
    def forward(self, x):
        W = torch.cat([self.weight_ih, self.weight_hh], dim=1)  # (H, n + H)
        states = [torch.zeros(len(x), len(self.bias))]
        for t in range(x.shape[1]):
            z = nn.functional.linear(torch.cat([x[:, t], states[-1]], dim=1), W, self.bias)
            e = torch.exp(2 * z)
            states.append((e - 1) / (e + 1))
        return torch.stack(states[1:]).transpose(0, 1)


@question(
    id="recurrent-layer",
    title="A recurrent layer",
    asks="RNN",
    points=3,
    section="sec-seq2seq-rnn",
)
class RecurrentLayer:
    def driver(answer, n, H, weights, x, gradient):
        from coursekit.grading.drivers import use_module

        return use_module(answer(n, H), weights, [x], gradient=gradient)

    reference = recurrent()

    def cases(rng):
        def draw(*shape):
            return torch.tensor(rng.normal(size=shape), dtype=torch.float32)

        for name, n, H, B, T, shown in (
            ("three steps", 2, 2, 1, 3, True),
            ("a batch", 3, 2, 2, 4, True),
            ("a longer sequence", 4, 5, 3, 9, False),
        ):
            weights = {"weight_ih": draw(H, n), "weight_hh": draw(H, H) / 2, "bias": draw(H)}
            x = draw(B, T, n).requires_grad_()
            yield case(name, n, H, weights, x, draw(B, T, H), shown=shown)

    variants = [AllInputsAtOnce, WithOneMatrix]
    mistakes = {
        "Each step forgets the one before: feed the state back in.": recurrent(
            carry=lambda h: 0 * h
        ),
        "You read from the end to the beginning.": recurrent(backwards=True),
        "The state is squashed by tanh; yours by a sigmoid.": recurrent(squash=torch.sigmoid),
        "The bias is added once; you added it twice.": recurrent(bias=2.0),
        "No gradient goes back through time: do not detach the state.": recurrent(
            carry=lambda h: h.detach()
        ),
    }
    explain = r"""
    $h_t=\tanh(W_{ih}x_t+W_{hh}h_{t-1}+b)$ with $h_0=0$. Loop over the second axis of x, keep
    every $h_t$, and stack them along that axis.
    """


def through_time(slope=lambda h: 1 - h**2, turn=False, last_first=True, start=0):
    """Norms of the Jacobians back through time; a mistake changes a factor or an order."""

    def gradient_norms(W, states):
        product, norms = np.eye(len(W)), [float(np.sqrt(len(W)))]
        order = states[:start:-1] if last_first else states[1:]
        for h in order:
            factor = np.diag(slope(h)) @ (W.T if turn else W)
            product = product @ factor
            norms.append(float(np.linalg.norm(product)))
        return norms

    return gradient_norms


@question(
    id="gradient-through-time",
    title="The gradient through time",
    asks="gradient_norms",
    points=3,
    section="sec-seq2seq-bptt",
)
class GradientThroughTime:
    reference = through_time()

    def cases(rng):
        def walk(W, T):
            h, states = rng.normal(size=len(W)) / 2, []
            for _ in range(T):
                h = np.tanh(W @ h + rng.normal(size=len(W)))
                states.append(h)
            return np.array(states)

        for name, H, T, size, shown in (
            ("two units, three states", 2, 3, 0.8, True),
            ("three units, five states", 3, 5, 0.8, True),
            ("one unit", 1, 4, 1.5, True),
            ("large weights", 4, 8, 2.0, False),
        ):
            W = rng.normal(size=(H, H)) * size
            yield case(name, W, walk(W, T), shown=shown)

    def from_the_left(W, states):
        norms = []
        for k in range(len(states)):
            product = np.eye(len(W))
            for h in states[len(states) - k :]:
                product = ((1 - h**2)[:, None] * W) @ product
            norms.append(float(np.linalg.norm(product)))
        return norms

    def row_by_row(W, states):
        rows, norms = np.eye(len(W)), [len(W) ** 0.5]
        for t in range(len(states) - 1, 0, -1):
            rows = (rows * (1 - states[t] * states[t])) @ W
            norms.append(float(np.sqrt((rows**2).sum())))
        return norms

    def factors_alone(W, states):
        norms = [float(np.sqrt(len(W)))]
        for h in states[:0:-1]:
            norms.append(norms[-1] * float(np.linalg.norm(np.diag(1 - h**2) @ W)))
        return norms

    variants = [from_the_left, row_by_row]
    mistakes = {
        "The derivative of tanh, where its value is h, is 1 - h**2.": through_time(
            slope=lambda h: 1 - h
        ),
        "The weights alone are not the Jacobian: tanh has a slope too.": through_time(
            slope=np.ones_like
        ),
        "You went from the first state on; lag 1 is the last step.": through_time(last_first=False),
        "W maps the old state to the new one; you used its transpose.": through_time(turn=True),
        "A product of norms is only a bound: multiply the matrices, then take the norm.": (
            factors_alone
        ),
    }
    explain = r"""
    Start with the identity, whose norm is $\sqrt H$. Go back from the last state, multiply on the
    right by $\mathrm{diag}(1-h_t^2)\,W$, and take the norm each time. With one unit, $W=w$ and
    states 0, the norms are $1, w, w^2, \dots$
    """


def lstm(order=(0, 1, 2, 3), candidate=torch.tanh, shown=torch.tanh, keep="f"):
    """One step of an LSTM; a mistake changes one gate."""

    def lstm_step(x, h, c, W, U, b):
        parts = (x @ W.T + h @ U.T + b).chunk(4, dim=-1)
        i, f, g, o = (parts[k] for k in order)
        i, f, o = torch.sigmoid(i), torch.sigmoid(f), torch.sigmoid(o)
        held = f * c if keep == "f" else (1 - i) * c if keep == "1-i" else c
        c = held + i * candidate(g)
        return o * shown(c), c

    return lstm_step


@question(
    id="lstm-step",
    title="One step of an LSTM",
    asks="lstm_step",
    points=2,
    section="sec-seq2seq-gates",
)
class LSTMStep:
    reference = lstm()

    def cases(rng):
        def draw(*shape):
            return torch.tensor(rng.normal(size=shape), dtype=torch.float32)

        for name, B, n, H, shown in (
            ("one unit", 1, 1, 1, True),
            ("two units, a batch", 2, 3, 2, True),
            ("larger", 5, 4, 6, False),
        ):
            state = draw(B, H), draw(B, H) + 1
            weights = draw(4 * H, n), draw(4 * H, H), draw(4 * H)
            yield case(name, draw(B, n), *state, *weights, shown=shown)

    def with_torch(x, h, c, W, U, b):
        cell = nn.LSTMCell(W.shape[1], U.shape[1])
        cell.weight_ih.data, cell.weight_hh.data = W, U
        cell.bias_ih.data, cell.bias_hh.data = b, torch.zeros_like(b)
        with torch.no_grad():
            return cell(x, (h, c))

    def gate_by_gate(x, h, c, W, U, b):
        H = h.shape[1]

        def sums(k):
            rows = slice(k * H, (k + 1) * H)
            return x @ W[rows].T + h @ U[rows].T + b[rows]

        def gate(k):
            return 1 / (1 + torch.exp(-sums(k)))

        new = gate(1) * c + gate(0) * torch.tanh(sums(2))
        return gate(3) * torch.tanh(new), new

    def turned_around(x, h, c, W, U, b):
        return lstm()(x, h, c, W, U, b)[::-1]

    variants = [with_torch, gate_by_gate]
    mistakes = {
        "The gates are stacked as input, forget, candidate, output; you swapped two.": lstm(
            order=(1, 0, 2, 3)
        ),
        "What is shown is the tanh of the cell; yours is the cell itself.": lstm(shown=lambda c: c),
        "The candidate goes through tanh, from -1 to 1, not through a sigmoid.": lstm(
            candidate=torch.sigmoid
        ),
        "Return the hidden state first, then the cell.": turned_around,
        "The forget gate decides what stays of the cell; you kept all.": lstm(keep="all"),
        "You kept 1 - i of the cell, as a GRU does; an LSTM has a forget gate.": lstm(keep="1-i"),
    }
    explain = r"""
    Cut the four blocks of $W x+U h+b$ apart: i, f, g, o. Then $c'=\sigma(f)\,c+\sigma(i)\tanh g$
    and $h'=\sigma(o)\tanh c'$. With all weights 0 half of the cell is kept.
    """
