"""Attention problems for the kernels, and what is right about them, in float64."""

from dataclasses import dataclass, field

import torch

from coursekit.attention import attention

# Relative error (root mean square) that a dtype's rounding explains: inputs are exact, the
# products accumulate in float32 (float64 for float64), and the result is rounded once. fp16 keeps
# 11 digits (2^-12 = 2.4e-4 at most), bf16 8 (2^-9 = 2e-3); gradients pass a second rounding, of
# the weights and the scores' gradients, between two products.
OUTPUT_ERROR = {
    torch.float64: 1e-13,
    torch.float32: 1e-6,
    torch.float16: 4e-4,
    torch.bfloat16: 3e-3,
}
GRADIENT_ERROR = {**OUTPUT_ERROR, torch.float16: 5e-4, torch.bfloat16: 4e-3}
NEIGHBOURHOOD = 97  # elements around every tensor that must neither be used nor changed


@dataclass(frozen=True)
class Case:
    """Sizes and options of one problem."""

    name: str
    heads: tuple[int, int]  # of queries, of keys
    lengths: tuple[int, int]  # of queries, of keys
    d: int
    batch: int = 1
    options: dict = field(default_factory=dict)
    layout: str = "plain"  # in memory: "plain", "tokens first" or "width first"
    inputs: str = "normal"  # or "steep" (logits times 50), "equal keys"
    cancels: bool = False  # gradients are small differences of large numbers, or scores are large


CASES = [
    Case("one tile", (1, 1), (32, 32), 16),
    Case("one token", (1, 1), (1, 1), 16, cancels=True),
    Case("one query, many keys", (2, 1), (1, 75), 16),
    Case("one key, many queries", (2, 2), (70, 1), 16, cancels=True),
    Case("causal", (2, 2), (64, 64), 16, options={"causal": True}),
    Case("causal, odd length", (1, 1), (65, 65), 16, options={"causal": True}),
    Case("causal, one short of a tile", (1, 1), (63, 63), 16, options={"causal": True}),
    Case("causal, one query more than a tile", (1, 1), (33, 33), 32, options={"causal": True}),
    Case("causal, more keys", (2, 2), (33, 90), 16, options={"causal": True}),
    Case("causal, dead rows", (2, 2), (90, 33), 16, options={"causal": True}),
    Case("causal, a whole tile of dead rows", (1, 1), (97, 20), 16, options={"causal": True}),
    Case("width 8", (1, 1), (40, 40), 8),
    Case("width 20", (1, 1), (40, 40), 20, options={"causal": True}),
    Case("width 40", (2, 1), (33, 50), 40, options={"causal": True}),
    Case("width 80", (1, 1), (33, 40), 80),
    Case("width 100", (1, 1), (20, 40), 100),
    Case("width 128", (1, 1), (33, 40), 128, options={"causal": True}),
    Case("width 256", (1, 1), (17, 33), 256),
    Case("grouped", (4, 2), (40, 40), 16, options={"causal": True}),
    Case("grouped by three", (6, 2), (33, 40), 16, batch=2),
    Case("multi-query", (3, 1), (40, 70), 16, batch=2, options={"causal": True}),
    Case("tokens before heads", (2, 2), (40, 50), 16, batch=2, layout="tokens first"),
    Case("width before tokens", (2, 1), (40, 50), 16, layout="width first"),
    Case("window", (1, 1), (100, 100), 16, options={"window": 20, "causal": True}),
    Case("window of one", (1, 1), (40, 40), 16, options={"window": 1}, cancels=True),
    Case("window to both sides", (2, 1), (100, 90), 16, options={"window": 17}),
    Case("window past the end", (1, 1), (40, 40), 16, options={"window": 400, "causal": True}),
    Case("softcap", (2, 2), (40, 50), 16, options={"softcap": 2.0}),
    Case("softcap, causal", (2, 1), (50, 50), 16, options={"softcap": 5.0, "causal": True}),
    Case("packed", (2, 1), (90, 90), 16, options={"cu_seqlens": (0, 3, 40, 41, 90)}),
    Case(
        "packed, causal, an empty sequence",
        *((2, 1), (70, 70), 16),
        options={"cu_seqlens": (0, 33, 33, 64, 70), "causal": True},
    ),
    Case(
        "packed, causal, window, softcap",
        *((2, 2), (70, 70), 16),
        options={"cu_seqlens": (0, 9, 50, 70), "causal": True, "window": 6, "softcap": 3.0},
    ),
    Case("scale given", (1, 1), (40, 40), 16, options={"scale": 0.7}, cancels=True),
    Case("steep logits", (2, 2), (50, 50), 16, inputs="steep", cancels=True),
    Case("equal keys", (1, 1), (50, 50), 16, inputs="equal keys", cancels=True),
]


@dataclass
class Problem:
    """Tensors of a case in one dtype, and the gradient that comes from above."""

    q: torch.Tensor
    k: torch.Tensor
    v: torch.Tensor
    grad: torch.Tensor
    options: dict

    def attend(self, backend, dtype=None):
        """Output, log-sum-exp and the gradients of q, k and v by one backend, as float64."""
        given = [x.detach().to(dtype or x.dtype).requires_grad_() for x in (self.q, self.k, self.v)]
        out, lse = attention(*given, **self.options, return_lse=True, backend=backend)
        gradients = torch.autograd.grad(out, given, self.grad.to(out.dtype))
        return [x.detach().double() for x in (out, lse, *gradients)]


def surrounded(x, layout):
    """The same tensor in the middle of NaN, with the strides of ``layout``."""
    order = {"plain": (0, 1, 2, 3), "tokens first": (0, 2, 1, 3), "width first": (0, 1, 3, 2)}
    order = order[layout]
    stored = x.permute(order).contiguous()
    room = torch.full((stored.numel() + 2 * NEIGHBOURHOOD,), torch.nan, dtype=x.dtype)
    middle = room[NEIGHBOURHOOD : NEIGHBOURHOOD + stored.numel()].view(stored.shape)
    middle.copy_(stored)
    return middle.permute([order.index(axis) for axis in range(4)])


def problem(case, dtype, seed=0):
    """Draw the inputs of a case; they are rounded to ``dtype`` first, so that they are exact."""
    generator = torch.Generator().manual_seed(seed)
    (H, G), (n, m) = case.heads, case.lengths

    def draw(heads, length):
        return torch.randn(case.batch, heads, length, case.d, generator=generator).to(dtype)

    q, k, v, grad = draw(H, n), draw(G, m), draw(G, m), draw(H, n)
    if case.inputs == "steep":
        q = q * 50
    if case.inputs == "equal keys":
        k = k[:, :, :1].expand_as(k)
    options = dict(case.options)
    if "cu_seqlens" in options:
        options["cu_seqlens"] = torch.tensor(options["cu_seqlens"], dtype=torch.int32)
    q, k, v = (surrounded(x, case.layout) for x in (q, k, v))
    return Problem(q, k, v, grad, options)


def eager(p):
    """Output and gradients in the problem's own dtype by separate torch operations."""
    given = [x.detach().requires_grad_() for x in (p.q, p.k, p.v)]
    q, k, v = given
    options = dict(p.options)
    group = q.shape[1] // k.shape[1]
    k, v = (x.repeat_interleave(group, 1) for x in (k, v))
    scores = q @ k.mT * options.pop("scale", q.shape[3] ** -0.5)
    if cap := options.pop("softcap", None):
        scores = cap * torch.tanh(scores / cap)
    hidden = ~visible_keys(q.shape[2], k.shape[2], **options)
    weights = scores.masked_fill(hidden, -torch.inf).softmax(-1)
    out = weights.masked_fill(hidden.all(-1, keepdim=True), 0.0) @ v
    gradients = torch.autograd.grad(out, given, p.grad)
    return [x.detach().double() for x in (out, *gradients)]


def visible_keys(n, m, causal=False, window=None, cu_seqlens=None):
    """Which keys a query sees, one pair at a time from the definition."""
    owner = torch.zeros(m)
    if cu_seqlens is not None:
        owner = torch.bucketize(torch.arange(m), cu_seqlens[1:].long(), right=True)
    seen = torch.zeros(n, m, dtype=torch.bool)
    for i in range(n):
        for j in range(m):
            place = i + m - n
            seen[i, j] = (
                (not causal or j <= place)
                and (window is None or abs(place - j) < window)
                and (cu_seqlens is None or owner[i] == owner[j])
            )
    return seen


NAMES = ("out", "dq", "dk", "dv")


def relative(actual, expected):
    """Root mean square of the error relative to that of what is expected."""
    return float((actual - expected).norm() / expected.norm())


def roughness(p):
    """How large the sums are whose differences the results are, by name, in float64.

    A gradient of a score is p (dp - delta); where the two nearly cancel, rounding is measured
    against their sizes. Rounding of a score s moves its weight by |s| times as much.
    """
    q, k, v, grad = (x.double() for x in (p.q, p.k, p.v, p.grad))
    group = q.shape[1] // k.shape[1]
    k, v = (x.repeat_interleave(group, 1) for x in (k, v))
    scale = p.options.get("scale", q.shape[3] ** -0.5)
    scores = q @ k.mT * scale
    hidden = ~visible_keys(
        *scores.shape[2:],
        **{x: y for x, y in p.options.items() if x not in ("scale", "softcap")},
    )
    weights = scores.masked_fill(hidden, -torch.inf).softmax(-1).nan_to_num(0.0)
    steep = (1 + scores.abs()) * weights
    delta = (weights @ v * grad).abs().sum(-1, keepdim=True)
    pulls = scale * steep * (grad.abs() @ v.abs().mT + delta)
    sizes = (steep @ v.abs(), pulls @ k.abs(), pulls.mT @ q.abs(), steep.mT @ grad.abs())
    return {name: float(x.norm()) for name, x in zip(NAMES, sizes, strict=True)}


def measured(p):
    """What the kernels and float64 return for a problem, by name, and who is alive."""
    wanted = p.attend("reference", torch.float64)
    got = p.attend("triton")
    alive = wanted[1].isfinite()
    assert torch.equal(alive, got[1].isfinite()), "dead rows differ"
    for found in (wanted, got):
        found[1] = found[1][alive]
    order = ("out", "lse", "dq", "dk", "dv")
    return dict(zip(order, got, strict=True)), dict(zip(order, wanted, strict=True))


def assert_right(case, dtype, seed=0):
    """Assert that the kernels' results differ from float64 by no more than rounding explains."""
    p = problem(case, dtype, seed)
    got, wanted = measured(p)
    rough = roughness(p) if case.cancels else {}
    eps = torch.finfo(dtype).eps
    for name, expected in wanted.items():
        allowed = (OUTPUT_ERROR if name in ("out", "lse") else GRADIENT_ERROR)[dtype]
        bound = allowed * float(expected.norm())
        if name in rough:
            bound = max(bound, 2 * eps * rough[name])
        error = float((got[name] - expected).norm())
        assert error <= bound, f"{case.name}: {name} is off by {error:.2g}, allowed is {bound:.2g}"
    return p, got, wanted
