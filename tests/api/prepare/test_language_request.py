from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

pytest.importorskip("torch")

from limbeck.api.prepare.language_request import LanguageKnown, LanguageRequest
from limbeck.core.errors import InvalidInput
from limbeck.language.generation import TokenSampling
from limbeck.language.objectives import SequenceKD
from limbeck.language.on_policy import OnPolicy
from limbeck.language.prompts import Prompts

PROMPTS = Prompts(("p", "q"), ((1,), (2, 3)), (None, None), (None, None))


def known(train: Prompts = PROMPTS, objective: Any = None, written: Any = ()) -> LanguageKnown:
    """Where a teacher with another tokenizer writes these texts."""
    asked: list[int] = []
    nothing: Any = None

    def write(prompts: Prompts, sampling: Any, seed: int) -> list[list[int]]:
        asked.append(seed)
        return [list(t) for t in written]

    bridge: Any = SimpleNamespace(written=write, asked=asked)
    return LanguageKnown(
        nothing, nothing, objective, nothing, nothing, TokenSampling(4), train, PROMPTS, {}, (), (),
        bridge=bridge,
    )  # fmt: skip


def test_texts_that_are_given_are_not_written_again() -> None:
    given = PROMPTS.followed_by([[7], [8, 9]])
    told: list[Any] = []
    found = known(given)
    assert found.complete
    assert found.given(0, lambda *what: told.append(what)) == (given, (0.0, 0))
    assert told == []


def test_the_teacher_writes_after_prompts_from_a_seed_of_its_own_and_tokens_are_counted() -> None:
    told: list[Any] = []
    one = known(written=[[7], [8, 9]])
    texts, (seconds, tokens) = one.given(5, lambda *what: told.append(what))
    assert (list(texts.completions), tokens) == ([(7,), (8, 9)], 3)
    assert one.bridge.asked == [7]  # type: ignore[union-attr]
    assert told == [("the teacher writes", 0, 1)]
    assert seconds >= 0


def test_a_teacher_that_writes_nothing_is_refused() -> None:
    with pytest.raises(InvalidInput, match=r"wrote nothing after 2 prompts\. .*tokenizer"):
        known(written=[[], []]).written(0, lambda *_: None)


def test_a_student_writes_only_where_a_share_of_its_updates_learns_from_it() -> None:
    assert known(objective=OnPolicy(share=0.5)).writes
    assert not known(objective=OnPolicy(share=0.0)).writes
    assert not known(objective=SequenceKD()).writes


def test_seeds_follow_the_first_and_have_folders() -> None:
    nothing: Any = None
    given = dict.fromkeys(LanguageRequest.__dataclass_fields__, nothing)
    request = LanguageRequest(**{**given, "seed": 4, "seeds": 3, "folder": Path("run")})
    assert list(request.all) == [4, 5, 6]
    assert request.under(5, "control") == Path("run/seed-5/control")
    assert LanguageRequest(**given).under(5, "control") is None
