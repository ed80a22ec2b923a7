"""Distillation's gradient in closed form, its limits, and that a teacher helps."""

import numpy as np
import pytest
import torch
from torch.nn import functional

from coursekit.hardware.distil import distil_digits, distillation_loss


@pytest.fixture
def logits():
    generator = torch.Generator().manual_seed(0)
    return torch.randn(2, 6, 5, generator=generator, dtype=torch.float64)


def gradient(student, teacher, **options):
    student = student.clone().requires_grad_()
    distillation_loss(student, teacher, **options).backward()
    return student.grad


@pytest.mark.equation("eq-hardware-distillation")
@pytest.mark.parametrize("T", [0.5, 1.0, 4.0])
def test_the_loss_is_the_divergence_of_the_softened_answers(logits, T):
    student, teacher = logits
    p, q = ((x / T).softmax(1).numpy() for x in (teacher, student))
    wanted = T**2 * (p * np.log(p / q)).sum(1).mean()
    assert distillation_loss(student, teacher, temperature=T).item() == pytest.approx(wanted)
    torch.testing.assert_close(
        gradient(student, teacher, temperature=T), torch.tensor(T * (q - p) / 6)
    )


def test_at_great_heat_it_matches_centred_logits(logits):
    """Hinton et al. 2015, equation 4: the gradient is the difference of logits over K."""
    student, teacher = (x - x.mean(1, keepdim=True) for x in logits)
    found = gradient(student, teacher, temperature=1e4)
    torch.testing.assert_close(found, (student - teacher) / 5 / 6, rtol=0, atol=1e-3)


def test_labels_take_the_rest_of_the_weight(logits):
    student, teacher = logits
    labels = torch.arange(6) % 5
    both = distillation_loss(student, teacher, labels, weight=0.25)
    wanted = 0.25 * distillation_loss(student, teacher) + 0.75 * functional.cross_entropy(
        student, labels
    )
    torch.testing.assert_close(both, wanted)
    teacher.requires_grad_()
    distillation_loss(student.requires_grad_(), teacher).backward()
    assert teacher.grad is None


def test_what_a_teacher_says_to_all_pictures_beats_sixty_labels():
    found = distil_digits(100)
    taught = min(found.accuracy["all choices"], found.accuracy["all answers"])
    assert taught > found.accuracy["60 labels"] + 0.03
    assert found.student < found.teacher / 7


def test_bad_calls_are_refused(logits):
    student, teacher = logits
    with pytest.raises(ValueError, match="the same is wanted"):
        distillation_loss(student, teacher[:, :3])
    with pytest.raises(ValueError, match="temperature is 0"):
        distillation_loss(student, teacher, temperature=0)
    with pytest.raises(ValueError, match="there are none"):
        distillation_loss(student, teacher, weight=0.5)
