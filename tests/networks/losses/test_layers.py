from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from limbeck.core.errors import InvalidInput
from limbeck.core.task import TaskKind
from limbeck.modules.batch import Step
from limbeck.networks import (
    AttentionMaps,
    AttentionTransfer,
    Contrastive,
    Embeddings,
    HiddenStates,
    Relations,
)
from limbeck.networks.losses.layers import OnLayers, Pair, pooled_alike, vectors

Draw = Callable[..., Tensor]
Make = Callable[..., Step]
TERMS = [HiddenStates, Embeddings, AttentionMaps, AttentionTransfer, Relations, Contrastive]


@pytest.mark.parametrize("term", TERMS)
def test_pairs_say_which_layers_are_read(term: type[OnLayers]) -> None:
    needs = term({"encoder.5": "encoder.2", "encoder.11": "encoder.5"}).needs
    assert needs.teacher
    assert needs.teacher_layers == ("encoder.5", "encoder.11")
    assert needs.student_layers == ("encoder.2", "encoder.5")
    assert term.level == 4
    assert not needs.compares  # layers alone: outputs may differ


@pytest.mark.parametrize("term", TERMS)
@pytest.mark.parametrize("pairs", [{}, "encoder.5", {"a": 1}, {"": "b"}, [("a", "b")]])
def test_pairs_must_be_names(term: type[OnLayers], pairs: object) -> None:
    with pytest.raises(InvalidInput, match=r"pairs of layers are .* Give \{teacher layer"):
        term(pairs)  # type: ignore[arg-type]


def test_a_layer_whose_rows_are_not_first_is_refused(step: Make, draw: Draw) -> None:
    now = step(draw(4, 2), draw(4, 2), layers={"t": (draw(4, 3), draw(7, 4, 3))})
    now.student.layers["s"] = draw(4, 3)  # type: ignore[index]
    with pytest.raises(InvalidInput, match=r"teacher's layer 't' returns \(7, 4, 3\) for 4 rows"):
        HiddenStates({"t": "s"}).loss(now, None)
    now.teacher.layers["t"] = draw(4)  # type: ignore[index, union-attr]
    with pytest.raises(InvalidInput, match=r"returns \(4,\) for 4 rows"):
        HiddenStates({"t": "s"}).loss(now, None)


def test_a_layer_of_other_tokens_than_the_mask_is_refused(step: Make, draw: Draw) -> None:
    layers = {"a": (draw(4, 5, 3), draw(4, 6, 3))}
    now = step(draw(4, 2), draw(4, 2), layers=layers, mask=torch.ones(4, 6))
    with pytest.raises(InvalidInput, match=r"student's layer 'a' returns \(4, 5, 3\).*\(4, 6\)"):
        HiddenStates({"a": "a"}).maps(now)


def test_tokens_that_count_and_their_weights(draw: Draw) -> None:
    student, teacher = draw(2, 3, 4), draw(2, 3, 5)
    mask = torch.tensor([[True, True, False], [False, True, False]])
    weight = torch.tensor([2.0, 5.0])
    s, t, w = Pair(("t", "s"), student, teacher, mask, weight).tokens()
    torch.testing.assert_close(s, torch.stack([student[0, 0], student[0, 1], student[1, 1]]))
    torch.testing.assert_close(t, torch.stack([teacher[0, 0], teacher[0, 1], teacher[1, 1]]))
    assert w is not None
    assert w.tolist() == [2, 2, 5]
    s, t, w = Pair(("t", "s"), student, teacher, None, weight).tokens()
    torch.testing.assert_close(s, student.reshape(6, 4))
    assert w is not None
    assert w.tolist() == [2, 2, 2, 5, 5, 5]
    by_token = torch.tensor([[1.0, 3.0, 9.0], [9.0, 4.0, 9.0]])
    pair = Pair(("t", "s"), student, teacher, mask, by_token)
    assert pair.tokens()[2].tolist() == [1, 3, 4]  # type: ignore[union-attr]
    assert pair.row_weight.tolist() == [2, 4]  # type: ignore[union-attr]


def test_in_language_a_hidden_state_has_the_weight_of_the_token_it_predicts(
    step: Make, draw: Draw
) -> None:
    weight = torch.tensor([[7.0, 1.0, 0.0], [7.0, 2.0, 3.0]])
    layers = {"a": (draw(2, 3, 4), draw(2, 3, 4))}
    for kind, expected in (
        (TaskKind.LANGUAGE, [[1, 0, 0], [2, 3, 0]]),
        (TaskKind.TOKENS, weight.tolist()),
    ):
        now = step(draw(2, 3, 5), draw(2, 3, 5), None, kind, layers=layers, weight=weight)
        (pair,) = HiddenStates({"a": "a"}).of(now)
        assert pair.weight is not None
        assert pair.weight.tolist() == expected


def test_one_vector_a_row(draw: Draw) -> None:
    flat, tokens, image = draw(2, 3), draw(2, 3, 4), draw(2, 3, 4, 5)
    assert vectors(flat, None) is flat
    torch.testing.assert_close(vectors(image, None), image.mean((2, 3)))
    torch.testing.assert_close(vectors(tokens, None), tokens.mean(1))
    mask = torch.tensor([[True, False, True], [False, False, False]])
    expected = torch.stack([(tokens[0, 0] + tokens[0, 2]) / 2, torch.zeros(4)])
    torch.testing.assert_close(vectors(tokens, mask), expected)


def test_maps_of_different_size_meet_at_the_smaller() -> None:
    large, small = torch.arange(16.0).reshape(1, 1, 4, 4), torch.zeros(1, 2, 2, 4)
    a, b = pooled_alike(large, small)
    assert a.shape[2:] == b.shape[2:] == (2, 4)
    # rows 0 and 1, and rows 2 and 3, averaged
    assert a[0, 0].tolist() == [[2, 3, 4, 5], [10, 11, 12, 13]]
    assert b is small
    assert pooled_alike(small, large)[0] is small
