from __future__ import annotations

import pytest
import torch

from limbeck.core.errors import InvalidInput
from limbeck.language import TeacherLogits
from limbeck.language.divergences import token_divergence


def draw(*shape: int, seed: int) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("divergence", ["forward_kl", "reverse_kl", "jsd"])
def test_the_loss_of_a_token_is_the_divergence_at_its_place(divergence: str) -> None:
    logits, student = draw(4, 6, seed=0), draw(2, 6, seed=1).log_softmax(-1)
    places = torch.tensor([3, 1])
    found = TeacherLogits(logits).token_loss(student, places, divergence, temperature=2.0)
    teacher = (logits[places] / 2.0).log_softmax(-1)
    torch.testing.assert_close(found, token_divergence(student, teacher, divergence, 0.5, 0.1))


def test_a_student_of_other_outputs_is_refused_unless_it_is_cut() -> None:
    whole, cut = TeacherLogits(draw(2, 10, seed=0)), TeacherLogits(draw(2, 10, seed=0), 8)
    whole.check_outputs(10)
    cut.check_outputs(12)
    for signal, outputs, message in [
        (whole, 12, "The teacher has 10 outputs, and the student 12"),
        (whole, 9, "the student 9"),
        (cut, 7, "The teacher has 8 outputs, and the student 7"),
    ]:
        with pytest.raises(InvalidInput, match=message):
            signal.check_outputs(outputs)
