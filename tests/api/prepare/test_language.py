from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

pytest.importorskip("torch")

from limbeck.api.prepare.language import exact_match, read_language, split_language
from limbeck.core.errors import InvalidInput
from limbeck.language.prompts import Prompts


def prompts(*ids: tuple[int, ...], text: Any = (9,)) -> Prompts:
    n = len(ids)
    return Prompts(("p",) * n, ids, (text,) * n, (None,) * n)


def sides(found: Prompts, test: Prompts | None = None, **more: Any) -> Any:
    request: Any = SimpleNamespace(**{"holdout": 0.3, "seed": 0, "prompt_tokens": None} | more)
    data: Any = SimpleNamespace(prompts=found, test=test)
    return split_language(request, data)


def test_equal_prompts_come_to_one_side_and_are_judged_once() -> None:
    given = prompts(*((i % 10, 1) for i in range(30)))
    for seed in range(3):
        found = sides(given, seed=seed)
        train, test = set(found.train.ids), list(found.test.ids)
        assert len(test) == len(set(test)) == 3
        assert not train & set(test)
        assert len(found.train) == 21
        assert found.notes[0].startswith("Of 30 prompts 10 are different")


def test_test_prompts_that_train_are_refused() -> None:
    with pytest.raises(InvalidInput, match="1 test prompt of 2 are among those that train"):
        sides(prompts((1,), (2,)), prompts((2,), (3,)))
    found = sides(prompts((1,), (2,)), prompts((4,), (3,), (4,)))
    assert sorted(found.test.ids) == [(3,), (4,)]
    assert found.notes == ()


def test_too_few_different_prompts_are_told_how_to_part_them() -> None:
    with pytest.raises(InvalidInput, match="4 prompts, of which 1 are different") as caught:
        sides(prompts(*[(1,)] * 4), prompt_tokens=1)
    assert "a larger prompt_tokens parts them" in caught.value.remedy
    with pytest.raises(InvalidInput, match="holdout"):
        sides(prompts((1,), (2,)), holdout=2)


def test_settings_are_refused_before_a_model_is_opened() -> None:
    def asked(**more: Any) -> Any:
        return SimpleNamespace(
            **{"preflight": "refuse", "objective": None, "training": {}, "metrics": {},
               "max_new_tokens": None, "judge_batch_size": 8} | more
        )  # fmt: skip

    for more, says in (
        ({"preflight": "no"}, "preflight is 'no'"),
        ({"training": {"patience": 3}}, "no setting 'patience' of language models"),
        ({"metrics": {"mine": 3}}, "The metric 'mine' is 3"),
    ):
        with pytest.raises(InvalidInput, match=says):
            read_language(asked(**more))


def test_a_match_is_exact_but_for_blanks() -> None:
    assert exact_match(" yes\n", "yes") == 1.0
    assert exact_match("Yes", "yes") == exact_match("yes", None) == 0.0
