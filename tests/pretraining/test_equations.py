"""The numbered equations of chapter 06, each against something that is not the library."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from fractions import Fraction
from itertools import pairwise, permutations

import numpy as np
import pytest
import torch
from scipy import stats
from torch.nn.functional import cross_entropy

from coursekit import pretraining
from coursekit.pretraining.configs import gpt2_config, llama_config
from coursekit.transformer import GPT, GPT2_XL, LLAMA_2_7B, LLAMA_3_8B, num_parameters, skeleton

V, T = 50, 12


def seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def small(seed: int = 0) -> GPT:
    """A decoder in float64 and what it reads."""
    config = llama_config(V, d_model=16, n_layers=2, n_heads=2, max_len=T)
    return GPT(config, generator=seeded(seed)).double()


def batch(rows: int = 4) -> tuple[torch.Tensor, torch.Tensor]:
    ids = torch.randint(V, (rows, T + 1), generator=seeded(1))
    return ids[:, :-1], ids[:, 1:]


def mean_loss(net: GPT, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    return cross_entropy(net(x).flatten(0, 1), y.flatten())


@pytest.mark.equation("eq-pretraining-bpe")
def test_each_merge_is_the_most_frequent_pair_and_the_greater_of_equal_ones() -> None:
    text = "she sells sea shells by the sea shore; the shells she sells are sea shells"
    learnt = pretraining.train_bpe(text, 256 + 15).merges
    words = [[bytes([b]) for b in w.encode()] for w in pretraining.pre_tokenise(text)]
    for pair in learnt:
        counts = Counter(p for word in words for p in pairwise(word))
        most = max(counts.values())
        assert pair == max(p for p, n in counts.items() if n == most)
        for word in words:  # the new token takes the pair's place, from the left
            i = 0
            while i + 1 < len(word):
                if (word[i], word[i + 1]) == pair:
                    word[i : i + 2] = [pair[0] + pair[1]]
                i += 1
    assert len(learnt) == 15


@pytest.mark.equation("eq-pretraining-next-token")
def test_the_loss_is_the_mean_surprise_of_each_token_given_those_before_it() -> None:
    net, (x, y) = small(), batch()
    one_at_a_time = []
    for row, targets in zip(x, y, strict=True):
        for t in range(T):  # a pass for each place: nothing after it is there to be seen
            logits = net(row[None, : t + 1])[0, -1]
            one_at_a_time.append(-torch.log_softmax(logits, 0)[targets[t]])
    torch.testing.assert_close(mean_loss(net, x, y), torch.stack(one_at_a_time).mean())


@pytest.mark.equation("eq-pretraining-initial-loss")
@pytest.mark.parametrize("kind", [gpt2_config, llama_config])
@pytest.mark.parametrize("vocab_size", [64, 1024])
def test_an_untrained_model_finds_all_tokens_about_equally_likely(kind, vocab_size) -> None:
    net = GPT(kind(vocab_size, d_model=32, n_layers=2, max_len=32), generator=seeded(2))
    x = torch.randint(vocab_size, (8, 33), generator=seeded(3))
    loss = mean_loss(net, x[:, :-1], x[:, 1:]).item()
    # 256 places, logits spread by less than 0.3: their variance adds less than 0.05
    assert loss == pytest.approx(-math.log(1 / vocab_size), abs=0.1)
    assert pretraining.expected_initial_loss(vocab_size) == pytest.approx(np.log(vocab_size))


@pytest.mark.equation("eq-pretraining-perplexity")
def test_perplexity_counts_equally_likely_tokens() -> None:
    assert pretraining.perplexity(7 * math.log(11), 7) == pytest.approx(11)
    p = np.array([0.5, 0.1, 0.02])
    assert pretraining.perplexity(-np.log(p).sum(), 3) == pytest.approx(stats.gmean(1 / p))


@pytest.mark.equation("eq-pretraining-bits-per-byte")
def test_bits_per_byte_do_not_depend_on_how_a_text_is_cut() -> None:
    text = b"abracadabra" * 3
    p = {byte: Fraction(n, len(text)) for byte, n in Counter(text).items()}
    as_bytes = -sum(math.log(p[b]) for b in text)
    as_pairs = -sum(math.log(p[a] * p[b]) for a, b in zip(text[::2], text[1::2], strict=False))
    as_pairs -= math.log(p[text[-1]])  # 33 bytes: the last has no partner
    bits = [pretraining.bits_per_byte(nats, len(text)) for nats in (as_bytes, as_pairs)]
    assert (
        bits[0]
        == pytest.approx(bits[1])
        == pytest.approx(stats.entropy([float(v) for v in p.values()], base=2))
    )


@pytest.mark.equation("eq-pretraining-kneser-ney")
def test_kneser_ney_is_the_formula_in_exact_fractions() -> None:
    tokens, d = [0, 1, 2, 0, 1, 3, 0, 2, 1, 0, 1, 2], Fraction(3, 4)
    runs = Counter(pairwise(tokens))
    followers: defaultdict[int, Counter[int]] = defaultdict(Counter)
    for (a, b), n in runs.items():
        followers[a][b] = n
    kinds = Counter(b for _, b in runs)  # after how many different tokens
    kinds[tokens[0]] += 1  # the beginning of the text is a predecessor as well

    def unigram(w: int) -> Fraction:
        total = sum(kinds.values())
        left_over = d * len(kinds) / total
        return max(kinds[w] - d, Fraction(0)) / total + left_over / 4

    def p(w: int, c: int) -> Fraction:
        total = sum(followers[c].values())
        left_over = d * len(followers[c]) / total
        return max(followers[c][w] - d, Fraction(0)) / total + left_over * unigram(w)

    model = pretraining.KneserNey([tokens], order=2, vocab_size=4, discount=float(d))
    for c in range(4):
        found = [math.exp(model.log_probs([c, w])[1]) for w in range(4)]
        np.testing.assert_allclose(found, [float(p(w, c)) for w in range(4)], rtol=1e-12)
        assert sum(p(w, c) for w in range(4)) == 1


@pytest.mark.equation("eq-pretraining-adamw")
def test_adamw_is_the_formula_and_torchs() -> None:
    rng = np.random.default_rng(0)
    start, gradients = rng.normal(size=5), rng.normal(size=(6, 5)) * 10
    ours = torch.nn.Parameter(torch.tensor(start))
    theirs = torch.nn.Parameter(torch.tensor(start))
    settings = {"lr": 0.03, "betas": (0.9, 0.95), "eps": 1e-8, "weight_decay": 0.2}
    both = pretraining.AdamW([ours], **settings), torch.optim.AdamW([theirs], **settings)
    theta, m, s = start.copy(), 0.0, 0.0
    for k, g in enumerate(gradients, start=1):
        m, s = 0.9 * m + 0.1 * g, 0.95 * s + 0.05 * g**2
        step = (m / (1 - 0.9**k)) / (np.sqrt(s / (1 - 0.95**k)) + 1e-8)
        theta = (1 - 0.03 * 0.2) * theta - 0.03 * step
        for p, optimiser in zip((ours, theirs), both, strict=True):
            p.grad = torch.tensor(g)
            optimiser.step()
    np.testing.assert_allclose(ours.detach(), theta, rtol=1e-12)
    assert torch.equal(ours, theirs)


@pytest.mark.equation("eq-pretraining-schedule")
def test_the_rate_rises_in_a_line_and_falls_along_half_a_cosine() -> None:
    K, w, top, low = 100, 10, 2.0, 0.5
    rate = [
        pretraining.cosine_with_warmup(k, steps=K, lr=top, warmup=w, lr_min=low) for k in range(K)
    ]
    np.testing.assert_allclose(np.diff(rate[: w + 1]), top / (w + 1))
    optimiser = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=top)
    theirs = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, T_max=K - w, eta_min=low)
    for k in range(w, K):
        assert rate[k] == pytest.approx(theirs.get_last_lr()[0])
        optimiser.step()
        theirs.step()


@pytest.mark.equation("eq-pretraining-clip")
@pytest.mark.parametrize("limit", [0.01, 1.0, 1e6])
def test_a_clipped_gradient_keeps_its_direction_and_is_no_longer_than_the_limit(limit) -> None:
    net = small()
    mean_loss(net, *batch()).backward()
    before = torch.cat([p.grad.flatten() for p in net.parameters()])
    norm = pretraining.clip_gradients(net, limit)
    after = torch.cat([p.grad.flatten() for p in net.parameters()])
    wanted = before * min(1.0, limit / before.norm().item())
    # torch's 1e-6 under the fraction shortens by so much more, relative to the length
    torch.testing.assert_close(after, wanted, rtol=2e-6 / before.norm().item(), atol=0)
    torch.testing.assert_close(norm, before.norm())


@pytest.mark.equation("eq-pretraining-accumulation")
@pytest.mark.parametrize("parts", [2, 4])
def test_the_trainers_gradient_in_parts_is_that_of_the_whole_batch(parts) -> None:
    weights = []
    for accumulation in (1, parts):
        net = small()
        sampler = pretraining.BatchSampler(np.arange(2000) % V, batch_size=4, context=T, seed=0)
        settings = pretraining.Settings(steps=2, accumulation=accumulation, peak=1.0)
        trainer = pretraining.Trainer(net, sampler, settings)
        trainer.step()
        weights.append(torch.cat([p.detach().flatten() for p in net.parameters()]))
    # Adam's first step divides a gradient by its own size: rounding of 1e-16 over 1e-8, at most
    torch.testing.assert_close(weights[0], weights[1], rtol=0, atol=1e-7)


@pytest.mark.equation("eq-pretraining-temperature")
@pytest.mark.parametrize("tau", [0.2, 1.0, 3.0])
def test_temperature_raises_probabilities_to_a_power(tau) -> None:
    p = np.array([0.6, 0.3, 0.1])
    found = pretraining.apply_temperature(torch.tensor(p).log(), tau).softmax(-1)
    np.testing.assert_allclose(found, p ** (1 / tau) / (p ** (1 / tau)).sum(), rtol=1e-12)


@pytest.mark.equation("eq-pretraining-top-p")
def test_the_nucleus_is_the_smallest_set_of_enough_mass() -> None:
    rng = np.random.default_rng(0)
    for mass in (0.1, 0.5, 0.9, 0.99):
        p = rng.dirichlet(np.full(8, 0.5))
        kept = np.isfinite(pretraining.top_p(torch.tensor(p).log(), mass).numpy())
        sets = [s for s in np.ndindex(*[2] * 8) if p[np.array(s, bool)].sum() >= mass]
        fewest = min(sum(s) for s in sets)  # all 256 subsets
        assert kept.sum() == fewest
        best = max(p[np.array(s, bool)].sum() for s in sets if sum(s) == fewest)
        assert p[kept].sum() == pytest.approx(best)


@pytest.mark.equation("eq-pretraining-min-p")
def test_min_p_keeps_what_is_not_much_worse_than_the_best() -> None:
    p = np.random.default_rng(1).dirichlet(np.full(20, 0.5))
    left = pretraining.min_p(torch.tensor(p).log(), 0.15).softmax(-1).numpy()
    good = [i for i in range(20) if p[i] / p.max() >= 0.15]
    assert np.flatnonzero(left).tolist() == good
    np.testing.assert_allclose(left[good], p[good] / sum(p[i] for i in good))


@pytest.mark.equation("eq-pretraining-repetition")
def test_a_penalty_never_raises_a_token_that_has_occurred() -> None:
    z = torch.randn(30, generator=seeded(4), dtype=torch.float64)
    fined = pretraining.repetition_penalty(z, torch.tensor([3, 7, 7, 12]), 1.5)
    for i in range(30):
        wanted = z[i] if i not in (3, 7, 12) else min(z[i] / 1.5, z[i] * 1.5)
        assert fined[i] == wanted


@pytest.mark.equation("eq-pretraining-kv-cache")
@pytest.mark.parametrize("config", [LLAMA_3_8B, LLAMA_2_7B, gpt2_config(V)])
def test_cache_bytes_are_those_of_the_tensors(config) -> None:
    n, rows = 16, 3
    maps = skeleton(GPT, config).blocks[0].attention  # a key and a value for each token
    numbers = (maps.key.out_features + maps.value.out_features) * config.n_layers
    assert pretraining.cache_bytes(config, n, batch=rows, itemsize=2) == 2 * rows * n * numbers


@pytest.mark.equation("eq-pretraining-speculative")
def test_accepted_and_redrawn_tokens_are_distributed_as_the_large_models() -> None:
    rng = np.random.default_rng(5)
    for _ in range(20):
        p, q = rng.dirichlet(np.full(5, 0.6), size=2)
        stand = pretraining.accept_probability(torch.tensor(p), torch.tensor(q)).numpy()
        redrawn = pretraining.residual(torch.tensor(p), torch.tensor(q)).numpy()
        out = np.zeros(5)
        for guess in range(5):  # every path to every token
            out[guess] += q[guess] * stand[guess]
            out += q[guess] * (1 - stand[guess]) * redrawn
        np.testing.assert_allclose(out, p, rtol=1e-12)


@pytest.mark.equation("eq-pretraining-compute")
def test_six_operations_a_weight_and_token_by_torchs_counter() -> None:
    from torch.utils.flop_counter import FlopCounterMode

    maps = torch.nn.Linear(40, 60, bias=False), torch.nn.Linear(60, 30, bias=False)
    layer = torch.nn.Sequential(*maps)
    x = torch.randn(7, 40, requires_grad=True)  # its gradient is what a layer before would need
    with FlopCounterMode(display=False) as counter:
        layer(x).sum().backward()
    assert counter.get_total_flops() == pretraining.training_flops(num_parameters(layer), 7)


@pytest.mark.equation("eq-pretraining-mfu")
def test_a_machine_that_does_nothing_else_has_a_utilisation_of_one() -> None:
    # a product of n x n matrices is a layer of n² weights that n tokens pass, forward only: 2 n³
    n, peak = 512, 1e12
    seconds = 3 * 2 * n**3 / peak  # forward and twice that backward, at the peak
    assert pretraining.mfu(n / seconds, 6 * n**2, peak) == pytest.approx(1)
    assert pretraining.mfu(n / (2 * seconds), 6 * n**2, peak) == pytest.approx(0.5)


@pytest.mark.equation("eq-pretraining-chinchilla")
def test_a_fit_finds_the_law_that_made_the_runs() -> None:
    E, A, B, a, b = 1.8, 50.0, 90.0, 0.3, 0.35
    N, D = (v.ravel() for v in np.meshgrid(np.geomspace(1e4, 1e7, 6), np.geomspace(1e5, 1e8, 6)))
    fit = pretraining.fit_scaling(N, D, E + A / N**a + B / D**b)
    np.testing.assert_allclose([fit.E, fit.alpha, fit.beta], [E, a, b], rtol=0.02)
    far = 3e7, 4e8
    np.testing.assert_allclose(fit.predict(*far), E + A / far[0] ** a + B / far[1] ** b, rtol=1e-3)


@pytest.mark.equation("eq-pretraining-memory")
def test_memory_of_weights_gradients_and_means_is_that_of_the_tensors() -> None:
    config = gpt2_config(V, d_model=32, n_layers=2, max_len=T)
    net = GPT(config, generator=seeded(0))
    optimiser = pretraining.AdamW(net.parameters())
    cross_entropy(net(batch()[0]).flatten(0, 1), batch()[1].flatten()).backward()
    optimiser.step()
    weights = list(net.parameters())
    means = [s[k] for s in optimiser.state.values() for k in ("exp_avg", "exp_avg_sq")]
    need = pretraining.training_memory(config, batch_size=4, context=T, mixed=False)
    held = [sum(t.nbytes for t in group) for group in (weights, [p.grad for p in weights], means)]
    assert held == [need.weights, need.gradients, need.optimiser]


@pytest.mark.equation("eq-pretraining-memory")
def test_memory_a_parameter_and_a_token_is_the_published_one() -> None:
    # Rajbhandari et al. (2020), figure 1: 7.5 billion parameters take 120 GB, spread over 64
    # devices 1.9; 16 bytes each. Korthikanti et al. (2022), equation 1, without the attention's
    # scores and dropout's masks: 32 bytes a token, feature and layer
    c = GPT2_XL
    N = num_parameters(skeleton(GPT, c))
    for shards in (1, 64):
        need = pretraining.training_memory(c, batch_size=3, context=2048, shards=shards)
        states = need.weights + need.gradients + need.optimiser
        assert states / N * 7.5e9 == pytest.approx(120e9 / shards)
        tokens = 3 * 2048
        layers = 32 * tokens * c.d_model * c.n_layers
        assert need.activations == pytest.approx(layers + 8 * tokens * c.vocab_size)


@pytest.mark.equation("eq-pretraining-data-parallel")
@pytest.mark.parametrize("size", [2, 4])
def test_the_mean_of_the_processes_gradients_is_that_of_the_whole_batch(size) -> None:
    tokens = torch.randint(V, (3000,), generator=seeded(6)).numpy()

    def gradient(rank: int, of: int) -> torch.Tensor:
        sampler = pretraining.BatchSampler(tokens, 8, T, seed=2, rank=rank, world_size=of)
        net = small()
        mean_loss(net, *sampler.next()).backward()
        return torch.cat([p.grad.flatten() for p in net.parameters()])

    shares = torch.stack([gradient(rank, size) for rank in range(size)])
    torch.testing.assert_close(shares.mean(dim=0), gradient(0, 1), rtol=1e-9, atol=1e-13)
    assert not torch.allclose(shares[0], shares[1])  # each has rows of its own


@pytest.mark.equation("eq-pretraining-minhash")
def test_equal_least_values_estimate_what_sets_have_in_common() -> None:
    a, b = set("abcde"), set("cdef")
    orders = list(permutations(sorted(a | b)))  # all that a random order of the union can be
    same = sum(min(a, key=o.index) == min(b, key=o.index) for o in orders)
    share = Fraction(same, len(orders))
    assert share == Fraction(len(a & b), len(a | b)) == Fraction(1, 2)
    n = 4000
    sketches = [pretraining.minhash(s, n_hashes=n, seed=3) for s in (a, b)]
    found = float(np.mean(sketches[0] == sketches[1]))
    assert abs(found - float(share)) < 5 * math.sqrt(0.25 / n)  # five standard errors
