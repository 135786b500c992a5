from __future__ import annotations

from typing import Any

import pytest

pytest.importorskip("torch")

from limbeck.core.errors import InvalidInput
from limbeck.core.progress import quiet
from limbeck.core.task import Task
from limbeck.language.generation import TokenSampling
from limbeck.language.on_policy import OnPolicy
from limbeck.language.prompts import Prompts
from limbeck.language.train_texts import TextTraining
from limbeck.networks.training.settings import Training

PROMPTS = Prompts(("a", "b"), ((3,), (4,)), ((5,), (6, 1)), (None, None))


def test_texts_are_not_kept_for_later_in_several_processes(
    pair: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WORLD_SIZE", "2")
    teacher, start = pair
    made = TextTraining(
        teacher, start, OnPolicy(replay=0.5), Task.of("language", 34),
        Training(epochs=1, batch_size=2), TokenSampling(2),
    )  # fmt: skip
    with pytest.raises(InvalidInput, match=r"replay is 0\.5 in 2 processes"):
        made.student(PROMPTS, 0, None, quiet)
