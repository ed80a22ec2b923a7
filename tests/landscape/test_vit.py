"""Patches against torch's unfold, and attention over them against its formula."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from coursekit.landscape import (
    Fusion,
    Pairs,
    VisionTransformer,
    blind,
    patches,
    question_pairs,
    train_fusion,
)
from tests.landscape.near import digits, rng

SEEN = ("both", "image", "question")


@pytest.mark.equation("eq-landscape-patches")
@given(st.integers(1, 3), st.integers(1, 3), st.integers(1, 4), st.integers(0, 99))
def test_patches_are_those_of_unfold(rows, columns, size, seed):
    g = torch.Generator().manual_seed(seed)
    images = torch.rand(2, rows * size, columns * size, generator=g)
    wanted = torch.nn.functional.unfold(images[:, None], size, stride=size).transpose(1, 2)
    assert torch.equal(patches(images, size), wanted)


def test_patches_that_do_not_fill_the_image_are_refused():
    with pytest.raises(ValueError, match="multiples of the patch, 3"):
        patches(torch.zeros(1, 8, 8), 3)
    with pytest.raises(ValueError, match="images has shape"):
        VisionTransformer((8, 8), 10)(torch.zeros(1, 8, 9))


def test_without_places_the_order_of_patches_would_not_matter():
    model = VisionTransformer((8, 8), 10, patch=4, generator=torch.Generator().manual_seed(0))
    x = torch.rand(1, 8, 8, generator=torch.Generator().manual_seed(1))
    swapped = torch.cat([x[:, 4:], x[:, :4]], dim=1)  # upper and lower half
    assert not torch.allclose(model(x), model(swapped), atol=1e-3)
    model.places.data.zero_()
    torch.testing.assert_close(model(x), model(swapped), rtol=1e-5, atol=1e-5)


def test_the_same_generator_makes_the_same_model():
    first, second = (
        VisionTransformer((8, 8), 3, generator=torch.Generator().manual_seed(4)) for _ in range(2)
    )
    for a, b in zip(first.parameters(), second.parameters(), strict=True):
        assert torch.equal(a, b)


@pytest.mark.equation("eq-landscape-fusion")
def test_the_question_reads_the_patches_by_cross_attention():
    model = Fusion((8, 16), 10, generator=torch.Generator().manual_seed(0))
    images = torch.rand(2, 8, 16, generator=torch.Generator().manual_seed(1))
    asked, seen = model.read(images, torch.tensor([0, 1]))
    cross, H, D = model.cross, model.cross.n_heads, model.cross.d_head
    wanted = torch.zeros(2, 1, H * D)
    weights = torch.zeros(2, H, seen.shape[1])
    for b in range(2):
        for h in range(H):
            part = slice(h * D, (h + 1) * D)
            q = cross.query(asked)[b, 0, part]
            K, V = cross.key(seen)[b, :, part], cross.value(seen)[b, :, part]
            weights[b, h] = (K @ q / D**0.5).softmax(0)
            wanted[b, 0, part] = weights[b, h] @ V
    torch.testing.assert_close(cross(asked, seen), cross.out(wanted), rtol=1e-4, atol=1e-5)
    looks = model.looks_at(images, torch.tensor([0, 1]))
    torch.testing.assert_close(looks.flatten(2), weights.detach(), rtol=1e-4, atol=1e-5)


def test_pairs_differ_and_the_question_picks_the_answer():
    X, y = digits("train")
    # a digit's own number in every pixel, so that the picture itself tells which it is
    X = y[:, None, None].float().expand(-1, 8, 8)
    pairs = question_pairs(X, y, 300, rng(0))
    left, right = pairs.images[:, 0, 0], pairs.images[:, 0, 15]
    assert (left != right).all()
    asked = torch.where(pairs.questions == 0, left, right)
    assert torch.equal(asked.long(), pairs.answers)
    with pytest.raises(ValueError, match="all digits are the same"):
        question_pairs(X[:3], torch.zeros(3, dtype=int), 2, rng(0))
    with pytest.raises(ValueError, match="sees is 'nothing'"):
        blind(pairs, "nothing")


@pytest.fixture(scope="module")
def fused():
    train, test = (
        question_pairs(*digits(part), n, rng(seed))
        for part, n, seed in (("train", 6000, 0), ("test", 800, 1))
    )
    made = {}
    for sees in SEEN:
        g = torch.Generator().manual_seed(0)
        model, _ = train_fusion(train, generator=g, sees=sees)
        shown: Pairs = blind(test, sees)
        with torch.no_grad():
            found = model(shown.images, shown.questions).argmax(1)
        made[sees] = model, float((found == test.answers).float().mean())
    return made, test


def test_both_are_needed(fused):
    """Without the question, at most one half; without the picture, one in ten."""
    made, _ = fused
    assert made["both"][1] > 0.9
    assert 0.4 < made["image"][1] < 0.56
    assert made["question"][1] < 0.16


def test_it_looks_where_it_is_asked_to(fused):
    made, test = fused
    looks = made["both"][0].looks_at(test.images, test.questions).mean(1)  # (n, 2, 4)
    left = looks[..., :2].sum((1, 2))
    assert left[test.questions == 0].mean() > 0.95
    assert left[test.questions == 1].mean() < 0.05
